"""The spine: artifacts (finished folders with a manifest), recipes (strict TOML), the steps from one to the other.

It knows no model and no text. A stage is a plain function `stage(config, out, **artifacts) -> metrics`; the spine gives
it an `X.partial` folder, a lock, resume after a kill, a fingerprint, and one atomic rename at the end.
"""
