"""The site as a person uses it: in Chromium, without JavaScript.

The local server and the wasm tier are the ones of `tests/e2e`. Each test has the browser to itself,
without cookies; every page it comes to is looked at (`inspection`).
"""
