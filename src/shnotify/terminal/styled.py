"""Text with styles. rich is loaded only where a terminal shows them: it costs as much as 15 calls to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text as RichText


class Text:
    """Text of which parts have styles (rich, Styles)."""

    def __init__(self, text: str = "", style: str = "") -> None:
        self.parts: tuple[tuple[str, str], ...] = ((text, style),)

    @classmethod
    def assemble(cls, *parts: str | tuple[str, str]) -> Text:
        """Joins texts and pairs of text and style."""
        whole = cls()
        whole.parts = tuple((part, "") if isinstance(part, str) else part for part in parts)
        return whole

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.parts)

    def __str__(self) -> str:
        return self.plain

    @property
    def style(self) -> str:
        """The first style of its parts."""
        return next((style for _, style in self.parts if style), "")

    def __rich__(self) -> RichText:
        from rich.text import Text as RichText

        return RichText.assemble(*self.parts)
