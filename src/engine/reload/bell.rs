//! The system's own messages about files, as a bell that says "look": which file, and what happened, the looks find out.
//!
//! So it does not matter that events come twice, late, under other names or, on network filesystems, never: without them a
//! look is only a little later.

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::mpsc::SyncSender;

/// Rings while it is kept.
#[derive(Debug, Default)]
pub(super) struct Bell {
    _watcher: Option<RecommendedWatcher>,
}

impl Bell {
    /// Rings when anything happens in one of these folders. Where the system refuses, it stays silent. One message in the
    /// channel is enough, so more are dropped.
    pub(super) fn hang<'a>(folders: impl Iterator<Item = &'a Path>, rings: &SyncSender<()>) -> Self {
        let rings = rings.clone();
        let ring = move |event: notify::Result<notify::Event>| {
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = rings.try_send(());
            }
        };
        let mut watcher = match notify::recommended_watcher(ring) {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(target: "punk::reload", "the system tells nothing of saved files: they are looked at a few times a second ({error})");
                return Bell::default();
            }
        };
        for folder in folders {
            // One that is missing is looked for again and again.
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
        }
        Bell { _watcher: Some(watcher) }
    }
}
