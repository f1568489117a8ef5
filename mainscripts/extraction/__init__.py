"""The parts of `extract`: find faces, plan what becomes of them, align and write."""
