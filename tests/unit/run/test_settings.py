"""Settings refuse what they do not know, from whichever door it comes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, parse_settings, setting, settings_dict, suggest


@dataclass(frozen=True)
class Place(Settings):
    path: str = setting(help="where", path=True)
    share: float = setting(1.0, "how much", least=0, most=1)


@dataclass(frozen=True)
class Journey(Settings):
    steps: int = setting(10, "how far", least=1)
    speed: float = setting(1.5, "how fast", least=0)
    name: str = setting("walk", "how", choices=("walk", "run"))
    night: bool = setting(False, "in the dark")
    limit: int | None = setting(None, "at most", least=1)
    places: tuple[Place, ...] = setting((), "through")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.night and self.name == "run":
            raise ConfigError("Do not run at night.")


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'here \[x\]: unknown key "stepz". Did you mean "steps"\?'):
        parse_settings(Journey, {"stepz": 3}, where="here [x]")


def test_unknown_key_without_a_near_one_lists_what_there_is() -> None:
    with pytest.raises(ConfigError, match="It takes: steps, speed, name, night, limit, places"):
        parse_settings(Journey, {"qqqq": 3})


def test_missing_key_says_what_it_is() -> None:
    with pytest.raises(ConfigError, match=r'places\[0\]: the key "path" is required: where'):
        parse_settings(Journey, {"places": [{"share": 0.5}]})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": "3"}, "steps = '3' is a str; it must be of type int"),
        ({"steps": 3.0}, "steps = 3.0 is a float"),
        ({"steps": True}, "steps = True is a bool"),
        ({"night": 1}, "night = 1 is an int"),
        ({"name": 7}, "name = 7 is an int"),
        ({"speed": "fast"}, "speed = 'fast' is a str"),
        ({"speed": True}, "speed = True is a bool"),
        ({"steps": 0}, r"steps = 0 is outside 1..9223372036854775807 \(how far\)"),
        ({"steps": 2**64}, "outside"),
        ({"speed": -0.1}, "speed = -0.1 is outside 0..inf"),
        ({"speed": math.nan}, "speed = nan is outside"),
        ({"speed": math.inf}, "speed = inf is outside"),
        ({"name": "runn"}, 'is not one of walk, run. Did you mean "run"'),
        ({"limit": 0}, "limit = 0 is outside 1..9223372036854775807"),
        ({"limit": "all"}, "limit = 'all' is a str"),
        ({"places": [3]}, r"places\[0\]: path = 3 is an int"),
        ({"places": [{"path": "x", "share": 2}]}, r"places\[0\]: share = 2.0 is outside 0..1"),
        ({"places": [{"path": "x", "shaer": 1}]}, r'places\[0\]: unknown key "shaer". Did you mean "share"'),
        ({"places": ["a\0b"]}, "NUL"),
        ({"night": True, "name": "run"}, "here: Do not run at night"),
    ],
)
def test_wrong_values_are_named_with_their_cure(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_settings(Journey, values, where="here")


def test_a_dataclass_made_in_python_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="steps = 'many' is a str"):
        Journey(steps="many")  # type: ignore[arg-type]


def test_a_bare_string_stands_for_a_table_with_its_first_key() -> None:
    assert parse_settings(Journey, {"places": ["Brno"]}).places == (Place("Brno"),)
    assert parse_settings(Journey, {"places": "Brno"}).places == (Place("Brno"),)


def test_the_same_value_from_any_door_is_the_same_setting() -> None:
    from_toml = parse_settings(Journey, {"speed": 2, "places": [{"path": "Brno", "share": 1}]})
    from_python = Journey(speed=2.0, places=[Place("Brno")])  # type: ignore[arg-type]
    assert from_toml == from_python
    assert settings_dict(from_toml)["speed"] == 2.0
    assert repr(settings_dict(from_toml)) == repr(settings_dict(from_python))


def test_settings_as_json_hold_every_field() -> None:
    plain = settings_dict(Journey(places=(Place("Brno"),)))
    assert plain == {
        "steps": 10,
        "speed": 1.5,
        "name": "walk",
        "night": False,
        "limit": None,
        "places": [{"path": "Brno", "share": 1.0}],
    }


def test_suggest_prefers_a_near_name() -> None:
    assert suggest("tran", ["train", "export"]) == 'Did you mean "train"?'
    assert suggest("zzz", ["train", "export"]) == "It takes: train, export."
