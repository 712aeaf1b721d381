"""The journal's tree is that of RFC 6962 and RFC 9162: by their definition and the published vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.keep.tree import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight entries and their roots of the Certificate Transparency reference implementation.
PUBLISHED = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
PUBLISHED_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PUBLISHED_INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
PUBLISHED_CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}

LEAVES = [leaf_hash(b"%d" % number) for number in range(300)]
WHOLE = Tree(LEAVES)


def hexadecimal(path: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(step.hex() for step in path)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def defined_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*defined_path(m, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(m - k, leaves[k:]), defined_root(leaves[:k])]


def defined_proof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [defined_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*defined_proof(m, leaves[:k], whole), defined_root(leaves[k:])]
    return [*defined_proof(m - k, leaves[k:], False), defined_root(leaves[:k])]


def test_the_published_roots() -> None:
    tree = Tree(map(leaf_hash, PUBLISHED))
    for size, root in enumerate(PUBLISHED_ROOTS):
        assert root_of(PUBLISHED[:size]).hex() == root
        assert tree.root(size).hex() == root
    assert EMPTY_ROOT.hex() == PUBLISHED_ROOTS[0]


def test_the_published_inclusion_proofs() -> None:
    tree = Tree(map(leaf_hash, PUBLISHED))
    for (index, size), path in PUBLISHED_INCLUSION.items():
        assert hexadecimal(tree.inclusion_proof(index, size)) == path


def test_the_published_consistency_proofs() -> None:
    tree = Tree(map(leaf_hash, PUBLISHED))
    for (first, second), path in PUBLISHED_CONSISTENCY.items():
        assert hexadecimal(tree.consistency_proof(first, second)) == path


def test_the_frontier_and_the_tree_have_the_defined_root_at_every_size_to_300() -> None:
    frontier = Frontier()
    for size in range(len(LEAVES) + 1):
        expected = defined_root(LEAVES[:size])
        assert frontier.root == WHOLE.root(size) == expected
        assert Frontier.read(frontier.octets) == frontier
        assert len(frontier.hashes) == size.bit_count()
        if size < len(LEAVES):
            frontier = frontier.append(LEAVES[size])
    assert Frontier().extend(LEAVES) == frontier


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65])
def test_every_inclusion_proof_is_the_defined_one_and_holds_for_its_entry_alone(size: int) -> None:
    root = WHOLE.root(size)
    for index in range(size):
        path = WHOLE.inclusion_proof(index, size)
        assert list(path) == defined_path(index, LEAVES[:size])
        assert verify_inclusion(LEAVES[index], index, size, path, root)
        assert not verify_inclusion(LEAVES[index + 1], index, size, path, root)
        for other in range(size):
            assert verify_inclusion(LEAVES[index], other, size, path, root) == (other == index)


@pytest.mark.parametrize("second", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33])
def test_every_consistency_proof_is_the_defined_one_and_holds(second: int) -> None:
    for first in range(1, second + 1):
        path = WHOLE.consistency_proof(first, second)
        assert list(path) == defined_proof(first, LEAVES[:second])
        roots = (WHOLE.root(first), WHOLE.root(second))
        assert verify_consistency(first, second, *roots, path)
        assert not verify_consistency(first, second, bytes(32), roots[1], path)
        assert not verify_consistency(first, second, roots[0], bytes(32), path)
    assert verify_consistency(0, second, EMPTY_ROOT, WHOLE.root(second), ())


@given(st.data())
def test_a_changed_proof_does_not_hold(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    path = list(WHOLE.inclusion_proof(index, size))
    change = data.draw(st.sampled_from(["bit", "drop", "add", "swap"]))
    at = data.draw(st.integers(0, len(path) - 1))
    if change == "bit":
        path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
    elif change == "drop":
        del path[at]
    elif change == "add":
        path.insert(at, bytes(32))
    elif len(path) > 1:
        path[0], path[-1] = path[-1], path[0]
    else:
        path = []
    assert not verify_inclusion(LEAVES[index], index, size, path, WHOLE.root(size))


@given(st.data())
def test_a_journal_whose_beginning_was_rewritten_is_not_consistent(data: st.DataObject) -> None:
    second = data.draw(st.integers(2, 120))
    first = data.draw(st.integers(1, second))
    at = data.draw(st.integers(0, first - 1))
    rewritten = Tree([*LEAVES[:at], leaf_hash(b"forged"), *LEAVES[at + 1 : second]])
    path = rewritten.consistency_proof(first, second)
    assert not verify_consistency(first, second, WHOLE.root(first), rewritten.root(second), path)


def test_what_a_journal_does_not_have_is_refused() -> None:
    tree = Tree(LEAVES[:5])
    with pytest.raises(IndexError):
        tree.inclusion_proof(5)
    with pytest.raises(IndexError):
        tree.inclusion_proof(0, 6)
    with pytest.raises(IndexError):
        tree.consistency_proof(0, 5)
    with pytest.raises(IndexError):
        tree.consistency_proof(4, 3)
    with pytest.raises(IndexError):
        tree.root(6)


def test_bytes_that_are_no_frontier_are_refused() -> None:
    for octets in (b"", bytes(7), bytes(9), (1).to_bytes(8, "big"), (3).to_bytes(8, "big") + bytes(32)):
        with pytest.raises(ValueError, match="frontier"):
            Frontier.read(octets)
