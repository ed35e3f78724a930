import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "backend")]

from rowdelta.cli import main  # noqa: E402
import wheel_of_one_package  # noqa: E402

OLD = "id,name,price\n1,tea,2\n2,milk,1\n3,salt,1\n"
NEW = "id,name,price\n1,tea,3\n3,salt,1\n4,rice,2\n"


class RowDelta(unittest.TestCase):
    def run_with(self, old, new, *args):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, text in (("old.csv", old), ("new.csv", new)):
                path = pathlib.Path(folder, name)
                path.write_text(text, encoding="utf-8")
                paths.append(str(path))
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([*paths, *args])
        return code, out.getvalue(), err.getvalue()

    def test_tells_added_removed_and_changed_rows(self):
        code, out, _ = self.run_with(OLD, NEW)
        self.assertEqual(code, 1)
        self.assertEqual(out, "- 2\n+ 4\n~ 1\n    price: 2 -> 3\n1 added, 1 removed, 1 changed, 1 the same\n")

    def test_the_order_of_rows_does_not_matter(self):
        code, out, _ = self.run_with(OLD, "id,name,price\n3,salt,1\n2,milk,1\n1,tea,2\n")
        self.assertEqual((code, out), (0, "0 added, 0 removed, 0 changed, 3 the same\n"))

    def test_ignored_columns_do_not_count(self):
        self.assertEqual(self.run_with(OLD, OLD.replace("tea,2", "tea,9"), "-i", "price")[0], 0)

    def test_a_key_of_two_columns(self):
        code, out, _ = self.run_with("a,b,c\n1,1,x\n1,2,y\n", "a,b,c\n1,1,x\n1,2,z\n", "-k", "a", "-k", "b")
        self.assertEqual(code, 1)
        self.assertIn("~ 1 / 2\n    c: y -> z\n", out)

    def test_cells_with_commas_quotes_and_new_lines(self):
        code, out, _ = self.run_with('id,t\n1,"a,b"\n', 'id,t\n1,"a\n""b"""\n', "--json")
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out)["changed"][0]["cells"]["t"], {"old": "a,b", "new": 'a\n"b"'})

    def test_a_key_that_is_not_unique_and_a_missing_column_are_trouble(self):
        self.assertEqual(self.run_with("a,b\n1,1\n1,2\n", "a,b\n")[0], 2)
        code, _, err = self.run_with("a,b\n1,1\n", "a,b\n", "-k", "c")
        self.assertEqual(code, 2)
        self.assertIn("has no column c", err)

    def test_the_wheel_is_the_same_each_time_and_complete(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            first = pathlib.Path(one, wheel_of_one_package.build_wheel(one))
            second = pathlib.Path(two, wheel_of_one_package.build_wheel(two))
            self.assertEqual(first.read_bytes(), second.read_bytes())
            names = zipfile.ZipFile(first).namelist()
        self.assertIn("rowdelta/cli.py", names)
        self.assertIn("rowdelta-1.0.0.dist-info/entry_points.txt", names)


if __name__ == "__main__":
    unittest.main()
