"""The first choice: committees over representations of the rows."""
