"""Which packages the rooms of elboflow may import: a kind of contract for import-linter."""

import sys

from importlinter import Contract, ContractCheck, fields, output


class Only(Contract):
    """A room imports these packages and the standard library, and of elboflow these rooms."""

    type_name = "only"
    rooms = fields.ListField(fields.StringField())
    packages = fields.ListField(fields.StringField(), required=False)

    def check(self, graph, verbose):
        allowed = {"elboflow", *sys.stdlib_module_names, *(self.packages or [])}
        strange = [
            f"{importer} imports {imported}"
            for importer in sorted(graph.modules)
            if any(f"{importer}.".startswith(f"elboflow.{room}.") for room in self.rooms)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported.split(".")[0] not in allowed
        ]
        return ContractCheck(kept=not strange, metadata={"strange": strange})

    def render_broken_contract(self, check):
        for line in check.metadata["strange"]:
            output.print_error(line)
