"""Each preset is a mapping that is consistent in itself, with forms that a JobSpec can name."""

from __future__ import annotations

import pytest

from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.time_format import TimeFormat, TimePattern
from tests.unit.core.flows.presets.reading import FIXTURES, mapping_of

FORMS = [(name, form.name) for name, preset in PRESETS.items() for form in preset.forms]


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_is_a_mapping_without_problems_that_names_itself(preset: str) -> None:
    mapping = PRESETS[preset].mapping

    assert mapping.problems() == []
    assert mapping.preset == preset


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_says_what_it_reads_and_where_that_is_documented(preset: str) -> None:
    known = PRESETS[preset]

    assert known.about.endswith(".")
    assert known.title
    assert known.links
    assert all(link.startswith("https://") for link in known.links)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_each_preset_has_records_as_the_makers_of_its_source_document_them(preset: str) -> None:
    assert list((FIXTURES / preset).iterdir())


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_names_of_forms_are_distinct(preset: str) -> None:
    names = [form.name for form in PRESETS[preset].forms]

    assert len(set(names)) == len(names) > 0


@pytest.mark.parametrize(("preset", "form"), FORMS)
def test_the_settings_of_a_form_make_a_job_spec(preset: str, form: str) -> None:
    mapping = mapping_of(preset, form)

    assert mapping.problems() == []
    assert set(mapping.fields) >= set(PRESETS[preset].mapping.fields)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_job_spec_needs_no_more_than_the_name_of_a_preset(preset: str) -> None:
    found = parse_job_spec({"project_name": "p", "input": {"preset": preset}}).input

    assert found == PRESETS[preset].mapping


@pytest.mark.parametrize("preset", list(PRESETS))
def test_epochs_are_tried_from_the_longest_unit_on_as_only_so_their_size_tells(preset: str) -> None:
    epochs = [TimeFormat.EPOCH_S, TimeFormat.EPOCH_MS, TimeFormat.EPOCH_US, TimeFormat.EPOCH_NS]
    for source in PRESETS[preset].mapping.fields.values():
        places = [
            epochs.index(one)
            for one in source.format
            if not isinstance(one, TimePattern) and one in epochs
        ]

        assert places == sorted(places)
