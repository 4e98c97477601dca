"""Makes Python modules of texts. The bootstrap runs this with `program`, the texts of the host.

A host is started as `python3 -I -B -X utf8 -c <bootstrap.py>`. Its first frame is
`H {"herald_modules": text, "herald_host": text, ...}`, so that no file of ours has to be readable
in its sandbox; then follow `L` and any number of `T`.
"""

import sys
import types
from importlib.machinery import ModuleSpec


class TextModules:
    """Finder and loader of modules that are given as texts, by their dotted names."""

    def __init__(self, texts):
        self.texts = texts

    def find_spec(self, name, path=None, target=None):
        if name not in self.texts:
            return None
        parent = sys.modules.get(name.rpartition(".")[0])
        # A stand-in does not fill in what a real package of that name lacks.
        if parent is not None and not isinstance(parent.__loader__, TextModules):
            return None
        package = any(other.startswith(name + ".") for other in self.texts)
        spec = ModuleSpec(name, self, origin=f"<{name}>", is_package=package)
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        exec(compile(self.texts[name], f"<{name}>", "exec"), module.__dict__)

    def get_source(self, name):
        return self.texts.get(name)


if "program" in globals():
    this = types.ModuleType("herald_modules")
    this.TextModules = TextModules
    sys.modules["herald_modules"] = this
    sys.meta_path.insert(0, TextModules(program))  # noqa: F821
    import herald_host
    herald_host.main(3)
