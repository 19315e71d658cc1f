"""Every command, option and argument says what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from ndr_entrypoints import (
    run_delta_builder,
    run_fg_a_builder,
    run_pair_history,
    run_stale_renewal,
)
from ndr_entrypoints.cli import main

WITHOUT_SPARK = True


def walk(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            # As the command line makes it: a context takes over what its parent says of help.
            yield from walk(child, click.Context(child, context, name, **child.context_settings))


ROOT = click.Context(main, info_name="ndr", **main.context_settings)
DEPLOYED = (run_delta_builder, run_fg_a_builder, run_pair_history, run_stale_renewal)
COMMANDS = {context.command_path: context for context in walk(main, ROOT)} | {
    name: click.Context(job.main, info_name=name)
    for job in DEPLOYED
    for name in [job.__name__.rpartition(".")[2]]
}
PARAMETERS = {
    f"{path} {parameter.name}": (context, parameter)
    for path, context in COMMANDS.items()
    for parameter in context.command.params
}
LEAVES = {
    path: context
    for path, context in COMMANDS.items()
    if not isinstance(context.command, click.Group)
}


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("named", list(PARAMETERS))
def test_a_parameter_has_a_help_text(named: str) -> None:
    _, parameter = PARAMETERS[named]
    assert isinstance(parameter, click.Option | click.Argument)
    assert parameter.help


@pytest.mark.parametrize("named", list(PARAMETERS))
def test_an_option_shows_that_it_is_required_or_its_default(named: str) -> None:
    context, parameter = PARAMETERS[named]
    if isinstance(parameter, click.Argument) or getattr(parameter, "is_flag", False):
        return
    record = parameter.get_help_record(context)
    assert record is not None
    shown = flat(record[1]).lower()
    if parameter.required:
        assert "required" in shown
    elif (default := parameter.to_info_dict()["default"]) is None or parameter.multiple:
        assert "default: " in shown or "absent" in shown
    else:
        assert f"default: {str(default).lower()}" in shown


@pytest.mark.parametrize("path", list(LEAVES))
def test_the_help_of_a_command_tells_its_exit_codes(path: str) -> None:
    shown = flat(LEAVES[path].get_help())
    assert "Exit codes: 0 done" in shown
    assert "2 wrong usage or configuration" in shown


def test_output_and_input_have_short_names() -> None:
    short = {"output": "-o", "input_": "-i"}
    for _, parameter in PARAMETERS.values():
        if isinstance(parameter, click.Option) and parameter.name in short:
            assert short[parameter.name] in parameter.opts


def test_the_lines_that_a_group_shows_are_those_of_its_commands() -> None:
    shown = flat(ROOT.get_help())
    for path, context in COMMANDS.items():
        if path.count(" ") == 1:
            assert flat(context.command.get_short_help_str(200)) in shown


def test_the_version_is_in_one_place() -> None:
    from click.testing import CliRunner

    from ndr_core.version import __version__

    assert (
        CliRunner().invoke(main, ["--version"], prog_name="ndr").output
        == f"ndr, version {__version__}\n"
    )
