"""Tests of `skda.unsupervised.ADDA`."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from skda.unsupervised import ADDA, SourceOnly
from skda.utils.warnings import NoSourceWarning


def _gradients(term, module):
    named = dict(module.named_parameters())
    found = torch.autograd.grad(
        term, list(named.values()), retain_graph=True, allow_unused=True
    )
    return {
        name for name, g in zip(named, found, strict=True) if g is not None and g.any()
    }


def test_the_terms_by_hand(make_terms, batch):
    module, terms = make_terms(ADDA, lambda0=0.5)
    f_s = module.extractor(batch.source.X)
    f_t = module.extractor_target(batch.target.X)
    d_s, d_t = (module.discriminator(f).squeeze(1) for f in (f_s, f_t))
    domain = -(d_s.sigmoid().log().mean() + (1 - d_t.sigmoid()).log().mean()) / 2

    torch.testing.assert_close(terms["domain"], domain)
    torch.testing.assert_close(terms["inverted"], -0.5 * d_t.sigmoid().log().mean())
    torch.testing.assert_close(
        terms["target_risk"], -module.head(f_t).log_softmax(dim=1)[1, 2]
    )
    assert set(terms) == {"domain", "inverted", "target_risk"}


def test_each_term_trains_its_own_part(make_terms):
    module, terms = make_terms(ADDA)
    parts = {
        name: {parameter.split(".")[0] for parameter in _gradients(term, module)}
        for name, term in terms.items()
    }

    assert parts == {
        "domain": {"discriminator"},
        "inverted": {"extractor_target"},
        "target_risk": {"extractor_target", "head"},
    }


def test_the_first_phase_trains_the_source_alone(make_net, batch, shifted):
    clf = make_net(ADDA, max_epochs=3, source_epochs=5)
    clf.fit(shifted.X, source=shifted.source)

    assert clf.history_["phase"].tolist() == ["source"] * 5 + ["target"] * 3
    assert np.isnan(clf.history_["source_risk"][5:]).all()
    assert np.isnan(clf.history_["domain"][:5]).all()


def test_the_source_and_the_classifier_stay_in_the_second_phase(make_net, shifted):
    one, more = (
        make_net(ADDA, lambda0=1.0, max_epochs=n_epochs, source_epochs=5).fit(
            shifted.X, source=shifted.source
        )
        for n_epochs in (1, 10)
    )

    assert_array_equal(
        one.predict_proba(shifted.source[0], domain="source"),
        more.predict_proba(shifted.source[0], domain="source"),
    )
    assert (
        abs(one.predict_proba(shifted.X) - more.predict_proba(shifted.X)).max() > 0.01
    )


def test_without_a_weight_the_target_is_seen_as_the_source_is(make_net, shifted):
    clf = make_net(ADDA, lambda0=0.0, max_epochs=5, weight_decay=0.0)
    clf.fit(shifted.X, source=shifted.source)

    np.testing.assert_allclose(
        clf.transform(shifted.X), clf.transform(shifted.X, domain="source"), atol=1e-6
    )


def test_adaptation_beats_its_absence_where_the_domains_are_shifted(
    make_net, make_shifted
):
    gains = []
    for seed in range(5):
        data = make_shifted(seed)
        scores = [
            make_net(cls, random_state=seed)
            .fit(data.X, source=data.source)
            .score(data.X, data.y)
            for cls in (ADDA, SourceOnly)
        ]
        gains.append(scores[0] - scores[1])

    assert np.mean(gains) > 0.02


def test_labels_of_the_target_train_both_phases(make_net, shifted):
    y = np.where(np.arange(150) < 30, shifted.y, -1)
    clf = make_net(ADDA, max_epochs=20).fit(shifted.X, y, source=shifted.source)

    assert np.isfinite(clf.history_["target_risk"]).all()
    assert clf.score(shifted.X[30:], shifted.y[30:]) > 0.9


def test_without_a_source_the_labeled_rows_are_learned(make_net, shifted):
    with pytest.warns(NoSourceWarning):
        clf = make_net(ADDA).fit(shifted.X, shifted.y)

    assert clf.score(shifted.X, shifted.y) > 0.95


def test_images_of_bytes_are_numbers_from_0_to_1(make_net):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(12, 1, 4, 4), dtype=np.uint8)
    clf = make_net(ADDA, module=torch.nn.Flatten, max_epochs=1)
    clf.fit(images, source=(images, np.arange(12) % 2))

    np.testing.assert_allclose(
        clf.transform(images), images.reshape(12, 16) / 255, rtol=1e-6
    )


def test_published_settings_can_be_fitted(shifted):
    clf = ADDA.published(max_steps=2, random_state=0, device="cpu")

    assert clf.fit(shifted.X, source=shifted.source).n_iter_ <= 4
