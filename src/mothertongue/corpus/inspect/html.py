"""HTML as a tree whose text is escaped when it is written: nothing a document says can become mark-up.

write(tag("p", "1 < 2", tag("b", "!"), title='a "b"'))      # <p title="a &quot;b&quot;">1 &lt; 2<b>!</b></p>
"""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

Node = ElementTree.Element
# controls, lone surrogates, non-characters and marks that turn the direction of what follows
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def tag(name: str, /, *children: Node | str | None, **attributes: str) -> Node:
    """An element; `class_` stands for class, `http_equiv` for http-equiv. None is no child."""
    named = {key.rstrip("_").replace("_", "-"): _safe(value) for key, value in attributes.items()}
    node = ElementTree.Element(name, named)
    last: Node | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                node.text = (node.text or "") + _safe(child)
            else:
                last.tail = (last.tail or "") + _safe(child)
        elif child is not None:
            node.append(child)
            last = child
    return node


def picture(svg: str, alt: str) -> Node:
    """An SVG inside an <img>: there it runs no scripts, and its ids meet no others."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return tag("img", src=f"data:image/svg+xml;base64,{data}", alt=alt)


def write(node: Node) -> str:
    """The element as HTML."""
    return ElementTree.tostring(node, encoding="unicode", method="html")


def _safe(text: str) -> str:
    return _UNSAFE.sub("\ufffd", text)
