"""What holds for any data: properties, checked on data that Hypothesis makes up.

A fit ends in a clear error or in finite probabilities that sum to one. It changes
neither its data nor its parameters, a refit is a fresh fit, a row is mapped alone as it
is among others, and a fitted estimator survives pickling.

The suite takes a few cases of every estimator, always the same::

    python -m pytest tests/properties

More of them, new ones every time, with the smallest case of the first failure::

    python -m pytest tests/properties --hypothesis-profile=many

The long run collects all failures by kind instead, with the smallest case of each, and
ends in 1 if there are any::

    python -m tests.properties.long_run --cases 10000 --out properties.json
"""
