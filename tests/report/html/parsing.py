"""A page taken apart: its elements, their attributes, and what stands in them."""

from html.parser import HTMLParser

VOID = {"meta", "input", "br", "path", "use", "circle", "line", "rect", "polyline", "polygon"}


class Parsed(HTMLParser):
    """Elements in their order; an element that is closed wrongly is an error."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements = []  # tag, attributes, depth
        self.open = []
        self.texts = []
        self.wrong = []
        self.feed(page)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag, _ in self.open]

    def handle_starttag(self, tag, attributes):
        self._add(tag, attributes)
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self._add(tag, attributes)

    def _add(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(set(names)) < len(names):
            self.wrong.append(f"<{tag}> has an attribute twice")
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
            return
        self.open.pop()

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if not {"script", "style"} & set(inside):
            self.texts.append(data)

    @property
    def text(self):
        """What can be read, spaces collapsed."""
        return " ".join(" ".join(self.texts).split())

    def attributes(self, name):
        """Give every value of an attribute."""
        return [found[name] for _, found in self.elements if name in found]

    def named(self, tag):
        """Give the attributes of every element of a tag."""
        return [found for other, found in self.elements if other == tag]
