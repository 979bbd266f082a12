"""Tests that drive a real Chromium; a package, so that its browser is closed when the last of them is done."""
