//! Writing a summary so that its name never stands for half of it.

use super::summary::Summary;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes the summary as JSON: to a temporary file beside `path`, which is flushed to the disk and renamed. What already
/// stands there is replaced only by a whole summary; a link stays a link. A device or a pipe is written to directly.
///
/// # Errors
/// Whatever the file system says; then nothing has changed under `path`.
pub fn write_summary(path: &Path, summary: &Summary) -> io::Result<()> {
    write_text(path, &summary.to_json())
}

/// Writes any text the same way.
///
/// # Errors
/// As [`write_summary`].
pub fn write_text(path: &Path, text: &str) -> io::Result<()> {
    let text = text.as_bytes();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
        // Renaming over `/dev/stdout` would replace the device.
        Ok(found) if !found.is_file() => {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.write_all(text)?;
            file.flush()
        }
        Ok(found) => replace(&fs::canonicalize(path)?, text, Some(found.permissions())),
        Err(_) => replace(path, text, None),
    }
}

fn replace(path: &Path, text: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a file name"));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = temporary(folder, &name.to_string_lossy());
    let written = File::create_new(&temporary).and_then(|mut file| {
        file.write_all(text)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // The error that counts is the first; what cannot be removed was probably never made.
        let _ = fs::remove_file(&temporary);
    } else if let Ok(folder) = File::open(folder) {
        // The name itself: a file system that cannot sync a folder has renamed all the same.
        let _ = folder.sync_all();
    }
    written
}

fn temporary(folder: &Path, name: &str) -> PathBuf {
    // A long name must leave room for what is added; the number keeps two runs apart.
    let stem: String = name.chars().take(40).collect();
    folder.join(format!(".{stem}.{}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_summary_replaces_the_last_one_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summary.json");
        fs::write(&path, "old").expect("written");
        write_summary(&path, &sample::typical().summary()).expect("written");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.starts_with("{\n  \"schema_version\": 1,") && text.ends_with("}\n"), "{text}");
        assert_eq!(names(folder.path()), ["summary.json"]);
    }

    #[test]
    fn a_failure_is_told_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let summary = sample::typical().summary();
        let missing = folder.path().join("no/such/folder.json");
        assert_eq!(write_summary(&missing, &summary).map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
        let kind = write_summary(folder.path(), &summary).map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::IsADirectory));
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("real.json"), folder.path().join("link.json"));
        fs::write(&file, "old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        write_summary(&link, &sample::typical().summary()).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert!(fs::read_to_string(&file).expect("readable").contains("schema_version"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error_and_stays_a_device() {
        let error = write_summary(Path::new("/dev/full"), &sample::typical().summary()).expect_err("no space");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!fs::metadata("/dev/full").expect("there").is_file());
    }
}
