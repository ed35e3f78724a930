//! Files with the same content. No digests: files of one size are read side by side, block by block, and split where
//! they differ, so nothing is read further than it has to be and equal means equal.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const BLOCK: usize = 64 * 1024;
/// Files that are open at once; larger groups are compared in parts, each against the first of every part.
const MAX_OPEN: usize = 128;

/// Files with the same bytes, sorted by path.
#[derive(Debug, PartialEq, Eq)]
pub struct Twins {
    pub size: u64,
    pub paths: Vec<PathBuf>,
}

impl Twins {
    /// Bytes that would be free if one of them stayed.
    pub fn spare(&self) -> u64 {
        self.size * (self.paths.len() as u64 - 1)
    }
}

#[derive(Default)]
pub struct Found {
    /// The most bytes to gain first.
    pub twins: Vec<Twins>,
    /// What could not be read, and why.
    pub problems: Vec<(PathBuf, io::Error)>,
}

#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Find twins below folders (and among files). Links are not followed; two names of one file count once.
pub fn find(roots: &[PathBuf], min_size: u64) -> Found {
    let mut found = Found::default();
    let mut by_size: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut pending: Vec<PathBuf> = roots.to_vec();
    while let Some(path) = pending.pop() {
        let result = fs::symlink_metadata(&path).and_then(|meta| {
            if meta.is_dir() {
                for entry in fs::read_dir(&path)? {
                    pending.push(entry?.path());
                }
            } else if meta.is_file() && meta.len() >= min_size && identity(&meta).map_or(true, |id| seen.insert(id)) {
                by_size.entry(meta.len()).or_default().push(path.clone());
            }
            Ok(())
        });
        if let Err(error) = result {
            found.problems.push((path, error));
        }
    }
    for (size, mut paths) in by_size {
        paths.sort();
        for paths in split(paths, &mut found.problems) {
            found.twins.push(Twins { size, paths });
        }
    }
    found.twins.sort_by(|a, b| b.spare().cmp(&a.spare()).then_with(|| a.paths.cmp(&b.paths)));
    found
}

/// Split files of one size into groups of the same bytes; groups of one are left out.
fn split(paths: Vec<PathBuf>, problems: &mut Vec<(PathBuf, io::Error)>) -> Vec<Vec<PathBuf>> {
    let mut groups: Vec<Vec<PathBuf>> = Vec::new();
    for part in paths.chunks(MAX_OPEN) {
        for group in split_open(part, problems) {
            let twin = groups.iter_mut().find(|known| same(&known[0], &group[0]).unwrap_or(false));
            match twin {
                Some(known) => known.extend(group),
                None => groups.push(group),
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn split_open(paths: &[PathBuf], problems: &mut Vec<(PathBuf, io::Error)>) -> Vec<Vec<PathBuf>> {
    let mut open = Vec::new();
    for path in paths {
        match File::open(path) {
            Ok(file) => open.push((path.clone(), file)),
            Err(error) => problems.push((path.clone(), error)),
        }
    }
    let mut done = Vec::new();
    let mut pending = vec![open];
    while let Some(group) = pending.pop() {
        let mut blocks: BTreeMap<Vec<u8>, Vec<(PathBuf, File)>> = BTreeMap::new();
        for (path, mut file) in group {
            match block(&mut file) {
                Ok(bytes) => blocks.entry(bytes).or_default().push((path, file)),
                Err(error) => problems.push((path, error)),
            }
        }
        for (bytes, group) in blocks {
            if bytes.is_empty() || group.len() == 1 {
                done.push(group.into_iter().map(|(path, _)| path).collect());
            } else {
                pending.push(group);
            }
        }
    }
    done
}

/// The next block, shorter only at the end of the file.
fn block(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(BLOCK);
    file.take(BLOCK as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn same(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    loop {
        let (left, right) = (block(&mut a)?, block(&mut b)?);
        if left != right || left.is_empty() {
            return Ok(left == right);
        }
    }
}
