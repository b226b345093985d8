//! Feeds: the data that users take row by row, and the order in which they get it.
//!
//! Read once, when the Plan is made; all shards share the rows by `Arc`. What is given to whom is decided by one
//! [`Cursor`] per feed and run. It knows files only as readers and nothing of Rhai: `script/` declares feeds and hands
//! rows to users.

mod cursor;
mod documents;
mod fault;
mod permutation;
mod steps;
mod table;
mod texts;

pub use cursor::Cursor;
pub use documents::{json, jsonl, lines};
pub use fault::Fault;
pub use steps::Steps;
pub use table::{CsvOptions, Header, Table};
pub use texts::Texts;

use std::fmt;
use std::sync::Arc;

/// One declared feed with all of its rows.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its name, unique in the script.
    pub name: String,
    /// Where its rows come from, for people: `csv users.csv`, `range(1, 100)`.
    pub source: String,
    /// In which order users get them.
    pub order: Order,
    /// The rows.
    pub rows: Rows,
}

/// In which order users get the rows of a feed, and what happens at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they stand, from the beginning again after the last one.
    #[default]
    Circular,
    /// Any row each time, by the randomness of the user that asks.
    Random,
    /// All rows in a random order, then all again in another one; the order follows from the seed.
    Shuffle,
    /// As they stand, each once over the whole run; the end of the rows is the end of the scenario.
    Queue,
    /// As they stand, each once over the whole run; wanting more than there are is an error of the script.
    Unique,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 5] = [Order::Circular, Order::Random, Order::Shuffle, Order::Queue, Order::Unique];

    /// The word of the script.
    pub fn word(self) -> &'static str {
        match self {
            Order::Circular => "circular",
            Order::Random => "random",
            Order::Shuffle => "shuffle",
            Order::Queue => "queue",
            Order::Unique => "unique",
        }
    }

    /// Whether each row is given once only.
    pub fn ends(self) -> bool {
        matches!(self, Order::Queue | Order::Unique)
    }
}

/// The rows of a feed. Cloning shares them.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Of a CSV file: texts under named columns.
    Table(Arc<Table>),
    /// Of a JSON file: each row the text of one JSON value, known to be valid.
    Documents(Arc<Texts>),
    /// Of a text file.
    Lines(Arc<Texts>),
    /// Whole numbers at equal distances.
    Steps(Steps),
    /// Made by a closure of the script, without end.
    Generated,
}

impl Rows {
    /// How many; `None` without end.
    pub fn len(&self) -> Option<u64> {
        match self {
            Rows::Table(table) => Some(table.len() as u64),
            Rows::Documents(texts) | Rows::Lines(texts) => Some(texts.len() as u64),
            Rows::Steps(steps) => Some(steps.len()),
            Rows::Generated => None,
        }
    }

    /// The names of the columns of a table; of other rows none are known.
    pub fn columns(&self) -> &[String] {
        match self {
            Rows::Table(table) => table.columns(),
            _ => &[],
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

impl Feed {
    /// A cursor for a run on so many shards.
    pub fn cursor(&self, shards: usize) -> Cursor {
        let rows = self.rows.len();
        Cursor::new(rows, rows.filter(|_| self.order.ends()), shards)
    }

    /// The index of the next row for a user of `shard`; `None` when all have been given. `seed` is that of the run,
    /// `random` gives bits of the user's own randomness.
    pub fn next(&self, cursor: &Cursor, shard: usize, seed: u64, random: impl FnOnce() -> u64) -> Option<u64> {
        let rows = self.rows.len();
        match (self.order, rows) {
            (Order::Random, Some(rows)) => Some(((u128::from(random()) * u128::from(rows)) >> 64) as u64),
            (Order::Circular, Some(rows)) => cursor.take(shard).map(|position| position % rows),
            (Order::Shuffle, Some(rows)) => {
                let name = permutation::hash(self.name.as_bytes());
                cursor.take(shard).map(|position| permutation::shuffled(seed ^ name, rows, position))
            }
            _ => cursor.take(shard),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows.len() {
            Some(rows) => write!(out, "{}: {}, {rows} rows, {}", self.name, self.source, self.order.word()),
            None => write!(out, "{}: {}, without end", self.name, self.source),
        }
    }
}

#[cfg(test)]
mod tests;
