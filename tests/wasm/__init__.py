"""The wasm tier: a staged Worker on real Pyodide, with real D1, in workerd."""
