"""Draw the map of docs/user_guide/choosing.rst: questions, and what to call."""

import textwrap
from html import escape
from typing import NamedTuple


class Answer(NamedTuple):
    """What to call in a case, and the page that says how."""

    case: str
    call: str
    page: str


class Question(NamedTuple):
    """A question, the answers that end the way, and the word that leads on."""

    text: str
    word: str
    answers: tuple[Answer, ...]
    onward: str | None


QUESTIONS = (
    Question(
        "Are there two views of each sample, photo and text say, and one is to find "
        "the other?",
        "yes",
        (Answer("", "ClusterRetrieval", "retrieval.html"),),
        "no",
    ),
    Question(
        "Do most rows have a label?",
        "yes",
        (Answer("", "any classifier: TunedClassifier", "first_choice.html"),),
        "no",
    ),
    Question(
        "Is there a source: other rows of the same classes, with labels?",
        "no",
        (
            Answer("a few labels", "AutoAdapter().fit(X, y)", "first_choice.html"),
            Answer(
                "somebody's probabilities",
                "PriorTransduction",
                "unsupervised.html#outside-opinions",
            ),
        ),
        "yes",
    ),
    Question(
        "Has the source the same columns as the target?",
        "no",
        (
            Answer(
                "a few labels of every class",
                "AutoAdapter, GeoST",
                "heterogeneous.html",
            ),
            Answer(
                "labels of some classes only",
                'GeoST(unlabeled_classes="infer")',
                "heterogeneous.html#unlabeled-classes",
            ),
            Answer(
                "pairs: rows known in both",
                "AutoAdapter, PairedRidgeTransfer",
                "heterogeneous.html#with-pairs",
            ),
            Answer(
                "none of these",
                "label a few rows first",
                "../faq.html#no-labels-other-columns",
            ),
        ),
        "yes",
    ),
    Question(
        "Do some rows of the target have labels?",
        "yes",
        (Answer("", "AutoAdapter, with the source", "first_choice.html"),),
        "no",
    ),
    Question(
        "May the target lack classes of the source?",
        "",
        (
            Answer("yes, or nobody knows", "AutoAdapter, PruneClasses", "partial.html"),
            Answer("no", "AutoAdapter, SPL, MCC", "unsupervised.html"),
            Answer(
                "no, and images end to end",
                "MCC(module=...)",
                "unsupervised.html#images-end-to-end",
            ),
        ),
        None,
    ),
)

LINE = 19  # height of a line of text
PAD = 10
CHARACTER = 7.7  # width of a letter, at most on average


class Canvas:
    """Parts of a picture, and how far down it reaches."""

    def __init__(self, name: str, width: int) -> None:
        self.name, self.width, self.bottom = name, width, 2
        self.parts: list[str] = []

    def box(self, place: tuple[int, int, int], lines: list[str], kind: str) -> int:
        """Draw lines of text in a frame at x, y, of a width; return its height."""
        x, y, width = place
        height = LINE * len(lines) + 2 * PAD
        self.parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" rx="6" width="{width}" '
            f'height="{height}"/>'
        )
        for i, line in enumerate(lines):
            self.text(x + PAD, y + PAD + LINE * i + 14, line)
        self.bottom = max(self.bottom, y + height)
        return height

    def text(self, x: int, y: int, markup: str) -> None:
        """Write a line of markup, its base at y."""
        self.parts.append(f'<text x="{x}" y="{y}">{markup}</text>')

    def line(self, *points: tuple[int, int]) -> None:
        """Draw an arrow along points."""
        path = "M" + "L".join(f"{x} {y}" for x, y in points)
        self.parts.append(f'<path d="{path}" marker-end="url(#{self.name}-tip)"/>')

    def __str__(self) -> str:
        """Put all of it into one element, whose colors are those of the page."""
        tip = (
            f'<defs><marker id="{self.name}-tip" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0L8 4L0 8z"/></marker></defs>'
        )
        return (
            f'<svg class="chooser {self.name}" viewBox="0 0 {self.width} '
            f'{self.bottom + 2}" role="group" aria-label="What to call, by what there '
            f'is">{tip}{"".join(self.parts)}</svg>'
        )


def draw() -> str:
    """Draw the map twice, for wide windows and for narrow ones."""
    wide = _draw(Canvas("wide", 760), question=270, answers=(330, 428))
    narrow = _draw(Canvas("narrow", 360), question=356, answers=(34, 324))
    return f".. raw:: html\n\n   {wide}\n   {narrow}"


def _draw(canvas: Canvas, question: int, answers: tuple[int, int]) -> str:
    """Draw questions of a width, and answers from an x on of a width."""
    x, width = answers
    beside = x > question
    for item in QUESTIONS:
        top = canvas.bottom + (30 if canvas.parts else 0)
        lines = [escape(line) for line in textwrap.wrap(item.text, _letters(question))]
        height = canvas.box((2, top, question), lines, "question")
        middle = top + height // 2
        y = top if beside else top + height + 26
        if beside and len(item.answers) == 1:
            y = middle - LINE // 2 - PAD
        if not beside:
            canvas.text(44, top + height + 18, item.word)
        for answer in item.answers:
            taken = canvas.box((x, y, width), _write(answer, width), "answer")
            straight = beside and y <= middle <= y + taken
            end = (x, middle if straight else y + taken // 2)
            start = (question + 2, middle) if beside else (18, top + height)
            bend = ((x + question) // 2 + 8, middle) if beside else (18, end[1])
            canvas.line(start, bend, (bend[0], end[1]), end)
            y += taken + 8
        if beside:
            canvas.text(question + 10, middle - 6, item.word)
        if item.onward:
            _lead_on(canvas, item.onward, top + height, beside=beside)
    return str(canvas)


def _lead_on(canvas: Canvas, word: str, top: int, *, beside: bool) -> None:
    """Draw the arrow to the next question."""
    x = 100 if beside else 8
    canvas.line((x, top), (x, canvas.bottom + 28))
    canvas.text(x + 8, canvas.bottom + 20, word)


def _write(answer: Answer, width: int) -> list[str]:
    """Set the lines of an answer, whose call is a link."""
    call = f'<tspan class="call">{escape(answer.call)}</tspan>'
    call = f'<a href="{answer.page}">{call}</a>'
    if not answer.case:
        return [call]
    if len(answer.case) + len(answer.call) + 2 > _letters(width):
        return [escape(answer.case), call]
    return [f"{escape(answer.case)}: {call}"]


def _letters(width: int) -> int:
    """Count the letters that fit into a box of a width."""
    return int((width - 2 * PAD) / CHARACTER)
