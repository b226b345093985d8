//! What happens to the process and not to one of its runs: events of `tracing`, kept until the runs have entered them in their logs.
//!
//! [`listen`] is called once by the door; `tracing::warn!` and its like may then stand anywhere above the ground floor, and
//! libraries that speak `tracing` are heard, too. Each run's collector takes what is new by its [`Reader`], so that the log, its
//! file and the monitor have it. Neither waits: too many events between two ticks are dropped and counted. What is not asked
//! for costs one atomic load. No file and no terminal is written here, and no secret leaves it: see [`secrets`].

mod secrets;

use crate::logs::Level;
use secrets::masked;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::metadata::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber, set_global_default};
use tracing::{Event as Told, Metadata};

/// Events that may wait for the next tick.
const WAITING: usize = 512;
/// Events that are kept for runs that have not taken them.
const KEPT: usize = 1_024;
/// Fields of one event.
const FIELDS: usize = 16;
/// How much of a text is kept, in bytes.
const TEXT: usize = 1_000;

/// Something that happened to the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: SystemTime,
    /// How grave it is.
    pub level: Level,
    /// Who says so: `punk::monitor`, or a library's module.
    pub target: Box<str>,
    /// What happened.
    pub message: String,
    /// With what: name and value.
    pub fields: Vec<(&'static str, Box<str>)>,
}

/// Between those who tell and those who read.
struct Desk {
    tell: SyncSender<Event>,
    dropped: AtomicU64,
    shelf: Mutex<Shelf>,
}

/// What was told, for every reader.
struct Shelf {
    told: Receiver<Event>,
    kept: VecDeque<Arc<Event>>,
    /// Number of the next one.
    numbered: u64,
}

static DESK: OnceLock<Arc<Desk>> = OnceLock::new();

impl Desk {
    fn new() -> Self {
        let (tell, told) = sync_channel(WAITING);
        let shelf = Mutex::new(Shelf { told, kept: VecDeque::new(), numbered: 0 });
        Desk { tell, dropped: AtomicU64::new(0), shelf }
    }
}

impl Shelf {
    fn fill(&mut self) {
        while let Ok(event) = self.told.try_recv() {
            self.kept.push_back(Arc::new(event));
            self.numbered += 1;
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }
}

/// Hears what is told from now on, in the whole process. Where somebody else listens already, nothing is heard here.
pub fn listen() {
    let desk = Arc::clone(DESK.get_or_init(|| Arc::new(Desk::new())));
    // Called twice, or in a process that has its own.
    let _ = set_global_default(Ear(desk));
}

/// One reader of all events, from the first that is kept.
#[derive(Debug, Default)]
pub struct Reader {
    next: u64,
    dropped: u64,
}

impl Reader {
    /// What is new since the last time, in order, and how many events were lost on the way.
    pub fn take(&mut self) -> (Vec<Arc<Event>>, u64) {
        DESK.get().map_or_else(Default::default, |desk| self.take_from(desk))
    }

    fn take_from(&mut self, desk: &Desk) -> (Vec<Arc<Event>>, u64) {
        // Nothing panics while it is held.
        let mut shelf = desk.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.fill();
        let first = shelf.numbered - shelf.kept.len() as u64;
        let missed = first.saturating_sub(self.next);
        let from = usize::try_from(self.next.saturating_sub(first)).unwrap_or(usize::MAX);
        let new = shelf.kept.iter().skip(from).cloned().collect();
        self.next = shelf.numbered;
        let dropped = desk.dropped.load(Ordering::Relaxed);
        let lost = missed + (dropped - self.dropped);
        self.dropped = dropped;
        (new, lost)
    }
}

/// Hears.
struct Ear(Arc<Desk>);

impl Ear {
    /// Of punk itself what is worth knowing, of others what is worth a look.
    fn wants(metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().split("::").next() == Some(env!("CARGO_PKG_NAME"));
        let least = if own { tracing::Level::INFO } else { tracing::Level::WARN };
        metadata.is_event() && *metadata.level() <= least
    }
}

impl Subscriber for Ear {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Ear::wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Ear::wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, told: &Told<'_>) {
        let mut text = Text::default();
        told.record(&mut text);
        let level = match *told.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => Level::Trace,
        };
        let event = Event {
            time: SystemTime::now(),
            level,
            target: told.metadata().target().into(),
            message: text.message,
            fields: text.fields,
        };
        if self.0.tell.try_send(event).is_err() {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    // There are no spans: nothing asks where an event stands.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says, as text.
#[derive(Default)]
struct Text {
    message: String,
    fields: Vec<(&'static str, Box<str>)>,
}

impl Text {
    fn put(&mut self, field: &Field, value: &str) {
        let end = (0..=TEXT.min(value.len())).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
        let value = masked(&value[..end]);
        match field.name() {
            "message" => self.message = value,
            name if self.fields.len() < FIELDS => self.fields.push((name, value.into())),
            _ => {}
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::subscriber::with_default;

    fn told(tell: impl FnOnce()) -> Arc<Desk> {
        let desk = Arc::new(Desk::new());
        with_default(Ear(Arc::clone(&desk)), tell);
        desk
    }

    fn said(events: &[Arc<Event>]) -> Vec<String> {
        let line = |event: &Arc<Event>| {
            let fields: String = event.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{} {}: {}{fields}", event.level, event.target, event.message)
        };
        events.iter().map(line).collect()
    }

    #[test]
    fn of_punk_from_info_on_and_of_others_from_warn_on() {
        let desk = told(|| {
            tracing::info!(target: "punk::monitor", port = 9091, "moved");
            tracing::debug!(target: "punk::monitor", "not this");
            tracing::info!(target: "punkish", "nor this");
            tracing::info!(target: "hyper", "nor this");
            tracing::warn!(target: "hyper::proto", why = %"reset", who = "ftp://ada:secret@host", "closed: {}", 1);
            tracing::error_span!(target: "punk::monitor", "nor a span")
                .in_scope(|| tracing::error!(target: "punk", "bad"));
        });
        let mut reader = Reader::default();
        let (events, lost) = reader.take_from(&desk);
        assert_eq!(
            said(&events),
            [
                "info punk::monitor: moved port=9091",
                "warn hyper::proto: closed: 1 why=reset who=ftp://***@host",
                "error punk: bad",
            ]
        );
        assert_eq!((lost, reader.take_from(&desk)), (0, (Vec::new(), 0)));
    }

    #[test]
    fn every_reader_gets_everything_once_and_is_told_what_it_missed() {
        let desk = Arc::new(Desk::new());
        let say = |count: usize| {
            with_default(Ear(Arc::clone(&desk)), || (0..count).for_each(|n| tracing::warn!(target: "punk", "{n}")));
        };
        let (mut quick, mut slow) = (Reader::default(), Reader::default());
        say(WAITING + 10);
        let (events, lost) = quick.take_from(&desk);
        assert_eq!((events.len(), lost), (WAITING, 10), "nobody waited");
        for _ in 0..3 {
            say(WAITING);
            let (events, lost) = quick.take_from(&desk);
            assert_eq!((events.len(), lost), (WAITING, 0));
        }
        let (events, lost) = slow.take_from(&desk);
        assert_eq!((events.len(), lost), (KEPT, (WAITING * 4 - KEPT + 10) as u64));
        assert_eq!(slow.take_from(&desk), (Vec::new(), 0));
    }

    #[test]
    fn what_is_said_is_bounded() {
        let desk = told(|| tracing::warn!(target: "punk", long = "ü".repeat(5_000), "{}", "x".repeat(5_000)));
        let (events, _) = Reader::default().take_from(&desk);
        assert_eq!((events[0].message.len(), events[0].fields[0].1.len()), (TEXT, TEXT));
    }
}
