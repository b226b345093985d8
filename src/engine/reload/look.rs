//! How files stand on the disk, and what is in them: the part of reloading that needs no messages of the system.
//!
//! A look at a file costs a `stat`; its text is read only when that says something else, or cannot say yet. It knows neither
//! scripts nor Commands.

use crate::script::source;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file changed so recently may change again without looking any different: times of files have coarse steps.
const YOUNG: Duration = Duration::from_secs(2);

/// How a file stands, without its text. Links are followed, so one that points to something else is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stand {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stand {
    fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        Ok(Stand {
            device: about.dev(),
            inode: about.ino(),
            length: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }
}

/// What a look found of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// SHA-256 of its text.
    Text(String),
    /// It is not there.
    Missing,
    /// It is there, and is no text that could be a script.
    Unreadable,
}

/// Files, and how they stood when they were looked at last.
#[derive(Debug, Default)]
pub(super) struct Looks {
    files: Vec<(PathBuf, Option<Stand>)>,
    folders: Vec<(PathBuf, Option<Stand>)>,
    /// When any of them changed last, as far as their times say.
    newest: Option<SystemTime>,
}

impl Looks {
    /// Looks after these files from now on; nothing is known of them yet.
    pub(super) fn at(files: Vec<PathBuf>) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        for file in &files {
            for folder in folders_of(file) {
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
        }
        Looks {
            files: files.into_iter().map(|file| (file, None)).collect(),
            folders: folders.into_iter().map(|folder| (folder, None)).collect(),
            newest: None,
        }
    }

    /// The files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.as_path())
    }

    /// The folders in which something happens when a file, or a link on the way to it, is replaced.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(|(folder, _)| folder.as_path())
    }

    /// Whether any file stands otherwise than at the last call.
    pub(super) fn differ(&mut self) -> bool {
        let mut differ = false;
        for (file, known) in &mut self.files {
            let now = Stand::of(file).ok();
            differ |= *known != now;
            *known = now;
        }
        let time = |stand: &Stand| {
            let (seconds, nanos) = stand.modified.max(stand.changed);
            let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
            SystemTime::UNIX_EPOCH.checked_add(since)
        };
        self.newest = self.files.iter().filter_map(|(_, stand)| time(stand.as_ref()?)).max();
        differ
    }

    /// Whether any folder is another one than at the last call: what watches the old one hears nothing any more.
    pub(super) fn folders_differ(&mut self) -> bool {
        let mut differ = false;
        for (folder, known) in &mut self.folders {
            let now = Stand::of(folder).ok();
            let place = |stand: &Stand| (stand.device, stand.inode);
            differ |= known.as_ref().map(place) != now.as_ref().map(place);
            *known = now;
        }
        differ
    }

    /// Whether a file may have changed since it was read although it looks the same.
    pub(super) fn are_young(&self) -> bool {
        // A time in the future, of another machine's clock, says nothing.
        self.newest.is_some_and(|newest| newest.elapsed().map_or(true, |age| age < YOUNG))
    }

    /// Reads them all.
    pub(super) fn read(&self) -> Vec<Found> {
        self.files().map(Found::at).collect()
    }
}

impl Found {
    fn at(file: &Path) -> Self {
        match source::read(file) {
            Ok(text) => Found::Text(source::sha256(&text)),
            Err(_) if fs::metadata(file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) => Found::Missing,
            Err(_) => Found::Unreadable,
        }
    }

    /// Of a file that could not be read a moment ago. If it can be now, that is news for the next look.
    pub(super) fn unread(file: &Path) -> Self {
        match Found::at(file) {
            Found::Unreadable => Found::Unreadable,
            _ => Found::Missing,
        }
    }
}

/// The folder of a file, and those of every link that leads to it.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_path_buf(),
        None => PathBuf::from("/"),
    };
    let mut folders = vec![folder(file)];
    let mut at = file.to_path_buf();
    // Longer chains than the system's own limit go round in circles.
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&at) else { break };
        at = folder(&at).join(target);
        folders.push(folder(&at));
    }
    if let Ok(target) = file.canonicalize() {
        folders.push(folder(&target));
    }
    folders
}
