"""Settings from the environment and a YAML file, with errors that say what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from tito.errors import BadSource
from tito.hub.config.settings import CourseSettings, HubSettings
from tito.validation import Place, wrong_setting

PREFIX = "TITO_HUB_"
FILE_VARIABLE = f"{PREFIX}CONFIG"
COURSE = "<course>"


@dataclass(frozen=True)
class Known:
    """A setting: its path, its variable (none below a course), and what can be said about it."""

    path: tuple[str, ...]
    variable: str
    secret: bool
    kind: Any
    default: Any
    description: str

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def known_settings(model: type[BaseModel] = HubSettings, above: tuple[str, ...] = ()) -> Iterator[Known]:
    """Every setting there is, in the order in which they are written."""
    for name, field in model.model_fields.items():
        path, kind = (*above, name), field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from known_settings(kind, path)
            continue
        variable = "" if COURSE in path else PREFIX + "_".join(path).upper()
        secret = SecretStr in get_args(kind)
        yield Known(path, variable, secret, kind, field.default, field.description or "")
        if get_origin(kind) is dict:
            yield from known_settings(CourseSettings, (*path, COURSE))


def load_settings(environment: Mapping[str, str]) -> HubSettings:
    """The settings that the file named by TITO_HUB_CONFIG and the other TITO_HUB_* say; these win over the file.

    Raises:
        BadSource: something in them is unknown or does not fit.
    """
    name = environment.get(FILE_VARIABLE, "")
    data = _from_file(Path(name)) if name else {}
    _merge(data, _from_environment(environment))
    try:
        return HubSettings.model_validate(data)
    except ValidationError as error:

        def source(place: Place) -> str:
            variable = PREFIX + "_".join(map(str, place)).upper()
            return variable if variable in environment else name or "the environment"

        raise wrong_setting(error, HubSettings, source, show_values=False) from None


def secret_of(model: BaseModel, name: str) -> str:
    """A secret, from the field itself or from the file that `<name>_file` names; empty where there is neither.

    Raises:
        BadSource: both are given, or the file cannot be read or is open to others.
    """
    secret: SecretStr | None = getattr(model, name)
    file: Path | None = getattr(model, f"{name}_file")
    if secret is not None and file is not None:
        raise BadSource(f"Both '{name}' and '{name}_file' are given.", hint="Give one of them.")
    if secret is not None:
        return secret.get_secret_value()
    if file is None:
        return ""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"'{name}_file' cannot be read: {file} ({type(error).__name__}).", hint="Correct it.") from None
    if not text:
        raise BadSource(f"'{name}_file' is empty: {file}.", hint="Write the secret into it.")
    return text


def _from_file(path: Path) -> dict[str, Any]:
    """The YAML file's settings. No secret may stand in it: such files are shown, copied and committed."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader) or {}  # no object is made: it is a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSource(f"{path} cannot be read: {error}.", hint=f"Correct {FILE_VARIABLE} or the file.") from None
    if not isinstance(data, dict):
        raise BadSource(f"{path} holds no settings.", hint="Write lines such as 'deployment: laptop'.")
    for known in known_settings():
        if known.secret and any(True for _ in _values(data, known.path)):
            variable = f" or set {known.variable}" if known.variable else ""
            raise BadSource(
                f"{path}: the secret '{known.dotted}' stands in the file.",
                hint=f"Put it into a file of its own and name that in '{known.dotted}_file'{variable}.",
            )
    return data


class _OnceLoader(yaml.SafeLoader):
    """YAML whose keys stand once: of two lists of students PyYAML would keep the last, and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, (where, _) in zip(keys, node.value, strict=True):
            if keys.count(key) > 1:
                problem = f"'{key}' stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, where.start_mark)
        return super().construct_mapping(node, deep)


def _values(data: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What stands at a path, for every course where the path says so."""
    if not path:
        yield data
    elif isinstance(data, dict):
        for key in list(data) if path[0] == COURSE else [path[0]]:
            if key in data:
                yield from _values(data[key], path[1:])


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    by_variable = {known.variable: known for known in known_settings() if known.variable}
    data: dict[str, Any] = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        if variable not in by_variable:
            close = get_close_matches(variable, by_variable, n=1)
            hint = f"Did you mean {close[0]}?" if close else "book/how-to/hub.md lists what there is."
            raise BadSource(f"There is no setting {variable}.", hint=hint)
        known = by_variable[variable]
        inside = data
        for part in known.path[:-1]:
            inside = inside.setdefault(part, {})
        inside[known.path[-1]] = _value(known, text)
    return data


def _value(known: Known, text: str) -> Any:
    """What a variable says: lists with commas, courses as YAML (and so as JSON), anything else as it stands."""
    if get_origin(known.kind) is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    if get_origin(known.kind) is dict:
        try:
            return yaml.load(text, _OnceLoader) or {}
        except yaml.YAMLError:
            raise BadSource(f"{known.variable} is no YAML.", hint="Write it as in the YAML file, or as JSON.") from None
    return text


def _merge(data: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict) and key != "courses":
            _merge(data[key], value)
        else:
            data[key] = value
