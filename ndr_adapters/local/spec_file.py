"""JobSpec files: YAML, or JSON, which is YAML too."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from ndr_core.errors import SpecError
from ndr_core.job_spec import JobSpec
from ndr_core.spec_reader import parse_job_spec


@frozen
class JobSpecFile:
    """The JobSpec in one file."""

    path: Path

    def load(self) -> JobSpec:
        """Raises SpecError, naming line or key, where there is no valid JobSpec."""
        try:
            data = yaml.load(self.path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506
        except OSError as error:
            raise SpecError(f"spec {self.path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SpecError(f"spec {self.path}: is not UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SpecError(f"spec {self.path}, line {line}: {error.problem}") from error
        except yaml.YAMLError as error:
            raise SpecError(f"spec {self.path}: {error}") from error
        return parse_job_spec(data, f"spec {self.path}")


class _StrictLoader(yaml.SafeLoader):
    """Refuses a repeated key, of which YAML readers silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # refused by the loader itself
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
