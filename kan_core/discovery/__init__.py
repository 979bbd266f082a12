"""From data to laws: shapes, symmetries and separations tried until a formula fits."""
