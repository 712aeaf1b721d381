// The claim in the editor: a list to choose from, and a chip that is deleted whole or not at all.
(() => {
  const { React, DraftJS, draftail } = window;
  const { EditorState, Modifier } = DraftJS;

  class ClaimSource extends React.Component {
    componentDidMount() {
      const { entityType, onClose } = this.props;
      const chosen = (claim) => {
        const { editorState, onComplete } = this.props;
        const content = editorState.getCurrentContent();
        const title = claim.title.split(" · ")[0];
        const withEntity = content.createEntity(entityType.type, "IMMUTABLE", { id: String(claim.id), title, holds: true });
        const key = withEntity.getLastCreatedEntityKey();
        const replaced = Modifier.replaceText(withEntity, editorState.getSelection(), title, null, key);
        this.modal.close?.();
        onComplete(EditorState.push(editorState, replaced, "insert-characters"));
      };
      this.modal = window.ModalWorkflow({
        url: entityType.chooserUrls.claimChooser,
        onload: window.chooserModalOnloadHandlerFactory
          ? new window.ChooserModalOnloadHandlerFactory().getOnLoadHandlers()
          : { choose: (modal) => new window.ChooserModalOnloadHandlerFactory().onLoadChooseStep(modal),
              chosen: (modal, json) => { modal.respond("chosen", json.result); modal.close(); } },
        responses: { chosen },
        onError: () => onClose(),
      });
    }
    render() { return null; }
  }

  const Claim = ({ entityKey, contentState, children }) => {
    const { title, holds } = contentState.getEntity(entityKey).getData();
    return React.createElement(
      "span",
      { className: `claim-chip${holds ? "" : " claim-chip--doubt"}`, title, role: "mark" },
      holds ? "✓ " : "? ",
      children,
    );
  };

  draftail.registerPlugin({ type: "CLAIM", source: ClaimSource, decorator: Claim }, "entityTypes");
})();
