use std::fs;
use std::path::{Path, PathBuf};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("twinbytes-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("below")).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn groups(&self, min: u64) -> Vec<Vec<String>> {
        let found = twinbytes::find(&[self.0.clone()], min);
        assert!(found.problems.is_empty());
        let name = |path: &PathBuf| path.strip_prefix(&self.0).unwrap().display().to_string();
        found.twins.iter().map(|twins| twins.paths.iter().map(name).collect()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn finds_twins_in_any_folder_and_the_largest_gain_first() {
    let folder = Folder::new("any");
    folder.write("a", b"one");
    folder.write("below/b", b"one");
    folder.write("c", b"two");
    folder.write("d", &[7; 1000]);
    folder.write("below/e", &[7; 1000]);
    assert_eq!(folder.groups(1), [["below/e", "d"], ["a", "below/b"]]);
    assert_eq!(folder.groups(4), [["below/e", "d"]]);
}

#[test]
fn a_difference_in_the_last_of_many_blocks_counts() {
    let folder = Folder::new("blocks");
    let mut bytes = vec![1; 200_000];
    folder.write("a", &bytes);
    folder.write("b", &bytes);
    bytes[199_999] = 2;
    folder.write("c", &bytes);
    assert_eq!(folder.groups(1), [["a", "b"]]);
}

#[test]
fn more_files_than_are_open_at_once_are_one_group() {
    let folder = Folder::new("many");
    for number in 0..300 {
        folder.write(&format!("{number:03}"), b"the same");
    }
    folder.write("other", b"not same");
    let groups = folder.groups(1);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].len(), 300);
}

#[cfg(unix)]
#[test]
fn two_names_of_one_file_and_links_are_no_twins() {
    let folder = Folder::new("links");
    folder.write("a", b"text");
    fs::hard_link(folder.0.join("a"), folder.0.join("b")).unwrap();
    std::os::unix::fs::symlink("a", folder.0.join("c")).unwrap();
    assert_eq!(folder.groups(1), Vec::<Vec<String>>::new());
}

#[test]
fn what_cannot_be_read_is_told() {
    let found = twinbytes::find(&[Path::new("/nonexistent/twinbytes").to_path_buf()], 1);
    assert_eq!(found.problems.len(), 1);
}
