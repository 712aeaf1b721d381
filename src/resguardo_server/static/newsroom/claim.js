// The claim in the editor: a list to choose from, and a chip that is deleted whole or not at all.
(() => {
  const { React, DraftJS, draftail, wagtailConfig } = window;
  const { EditorState, Modifier } = DraftJS;

  class ClaimSource extends draftail.ModalWorkflowSource {
    getChooserConfig() {
      const language = wagtailConfig?.ACTIVE_CONTENT_LOCALE;
      return {
        url: this.props.entityType.chooserUrls.claimChooser,
        urlParams: language ? { language } : {},
        onload: window.CHOOSER_MODAL_ONLOAD_HANDLERS,
        responses: { chosen: this.onChosen },
      };
    }

    // When the list closes, Wagtail gives the focus back to what had it when the list opened, which may be no
    // element at all. After a choice the focus is in the sentence already, and stays there.
    componentDidMount() {
      super.componentDidMount();
      const opener = this.workflow.triggerElement;
      opener.removeAttribute("disabled");
      this.workflow.triggerElement = {
        hasAttribute: () => true,
        focus: () => { if (!this.isChosen) opener.focus(); },
      };
    }

    // The chip stands where the cursor is; over chosen words or another chip, in their place.
    onChosen({ id, title, sentence, holds }) {
      const { editorState, entityKey, entityType, onComplete } = this.props;
      const there = entityKey
        ? draftail.DraftUtils.getEntitySelection(editorState, entityKey)
        : editorState.getSelection();
      const content = editorState.getCurrentContent().createEntity(entityType.type, "IMMUTABLE", { id, title, sentence, holds });
      const chip = content.getLastCreatedEntityKey();
      const replaced = Modifier.replaceText(content, there, title, null, chip);
      this.isChosen = true;
      this.workflow.close();
      onComplete(EditorState.push(editorState, replaced, "insert-characters"));
    }
  }

  const Claim = ({ entityKey, contentState, children }) => {
    const { sentence, holds } = contentState.getEntity(entityKey).getData();
    return React.createElement(
      "span",
      { className: holds ? "claim-chip" : "claim-chip claim-chip--fails", title: sentence },
      children,
    );
  };

  draftail.registerPlugin({ type: "CLAIM", source: ClaimSource, decorator: Claim }, "entityTypes");
})();
