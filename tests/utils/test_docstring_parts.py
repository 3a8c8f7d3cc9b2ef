from skda.utils._docstrings import Docstring, Entry


def test_a_section_added_to_plain_text_stands_apart_from_it():
    docstring = Docstring.parse("Summary.")
    entry = Entry(("alpha",), "float", ("    Ridge.",))

    text = docstring._replace(parameters=[entry]).render()

    assert text.startswith("Summary.\n\n    Parameters\n    ----------\n")
