"""A contract for import-linter: the outside packages that some packages may import, by name."""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output
from importlinter.domain import fields


class AllowedContract(Contract):
    """Fails for an import of a package that is neither listed, nor the source's own, nor the standard library's."""

    type_name = "allowed"

    source_packages = fields.ListField(subfield=fields.StringField())
    allowed_packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        del verbose
        sources: list[str] = list(self.source_packages)  # type: ignore[call-overload]
        allowed: list[str] = list(self.allowed_packages)  # type: ignore[call-overload]
        known = {*sources, *allowed, *sys.stdlib_module_names}
        broken = [
            (module, imported)
            for module in sorted(graph.modules)
            if module.partition(".")[0] in sources
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if imported.partition(".")[0] not in known
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, imported in check.metadata["broken"]:
            output.print_error(
                f"{module} imports {imported}, which is not among the allowed packages"
            )
