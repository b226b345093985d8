//! The page that the text report is set on: headings, wrapped lines and tables within a width, colour or none, Unicode or
//! ASCII.
//!
//! Every text that reaches it is cleaned here, so that no section can forget to. It knows nothing of runs.

use crate::printable::{clean, columns, cut};
use crate::units::human;

/// How a text report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to paint with ANSI escapes.
    pub color: bool,
    /// Columns to fill at most; lists below 60 are set as for 60.
    pub width: usize,
    /// Whether the reader can show more than ASCII.
    pub unicode: bool,
}

impl Default for Style {
    /// For a file: no colour, 120 columns, Unicode.
    fn default() -> Self {
        Style { color: false, width: 120, unicode: true }
    }
}

/// What a piece of text means for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tint {
    #[default]
    Plain,
    Strong,
    Dim,
    Good,
    Bad,
    Notable,
}

impl Tint {
    fn code(self) -> &'static str {
        match self {
            Tint::Plain => "",
            Tint::Strong => "1",
            Tint::Dim => "2",
            Tint::Good => "32",
            Tint::Bad => "31",
            Tint::Notable => "33",
        }
    }
}

/// Where there is no value.
pub(super) const NONE: &str = "–";

/// One piece of text with its tint.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    text: String,
    tint: Tint,
}

impl Piece {
    pub(super) fn tinted(text: &str, tint: Tint) -> Self {
        Piece { text: clean(text), tint }
    }
}

impl<T: AsRef<str>> From<T> for Piece {
    fn from(text: T) -> Self {
        Piece::tinted(text.as_ref(), Tint::Plain)
    }
}

/// Rows under titles. Texts stand left and may be cut, numbers stand right and are never cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    texts: usize,
    /// The titles first.
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    cells: Vec<Piece>,
    /// Lines beneath it, across the columns.
    notes: Vec<Piece>,
}

impl Table {
    /// The first `texts` columns hold texts, the others numbers.
    pub(super) fn new(texts: usize, titles: &[&str]) -> Self {
        let mut table = Table { texts, rows: Vec::new() };
        table.row(titles.iter().map(|title| Piece::tinted(title, Tint::Dim)).collect());
        table
    }

    pub(super) fn row(&mut self, cells: Vec<Piece>) {
        self.rows.push(Row { cells, notes: Vec::new() });
    }

    /// A line beneath the last row.
    pub(super) fn note(&mut self, text: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push(Piece::tinted(text, Tint::Dim));
        }
    }

    fn columns(&self) -> usize {
        self.rows.first().map_or(0, |titles| titles.cells.len())
    }

    fn natural(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.cells.get(column)).map(|piece| columns(&piece.text)).max().unwrap_or(0)
    }

    /// Columns that it needs when its texts are no wider than `text` columns each.
    pub(super) fn least(&self, text: usize) -> usize {
        let width = |column| if column < self.texts { self.natural(column).min(text) } else { self.natural(column) };
        INDENT + (0..self.columns()).map(width).sum::<usize>() + GAP * self.columns().saturating_sub(1)
    }

    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns()).map(|column| self.natural(column)).collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        // The widest text gives way first, column by column, so that short ones stay whole.
        while widths.iter().sum::<usize>() + gaps > room {
            let widest = (0..self.texts).filter(|at| widths[*at] > LEAST_TEXT).max_by_key(|at| widths[*at]);
            match widest {
                Some(at) => widths[at] -= 1,
                None => break,
            }
        }
        widths
    }
}

const INDENT: usize = 2;
const GAP: usize = 2;
const LEAST_TEXT: usize = 10;
/// How far notes stand under their row.
const NOTE: usize = 3;

/// A report while it is set.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Page { out: String::new(), style: Style { width: style.width.max(60), ..style } }
    }

    /// Whether a table whose texts may be cut to `text` columns fits.
    pub(super) fn fits(&self, table: &Table, text: usize) -> bool {
        self.shown(table).least(text) <= self.style.width
    }

    /// The piece in signs that the reader can show: before anything is measured, because widths may change.
    fn piece(&self, piece: &Piece) -> Piece {
        if self.style.unicode { piece.clone() } else { Piece { text: ascii(&piece.text), tint: piece.tint } }
    }

    fn shown(&self, table: &Table) -> Table {
        let all = |pieces: &[Piece]| pieces.iter().map(|piece| self.piece(piece)).collect();
        let rows = table.rows.iter().map(|row| Row { cells: all(&row.cells), notes: all(&row.notes) });
        Table { texts: table.texts, rows: rows.collect() }
    }

    /// [`cut`] with a sign that the reader can show.
    fn cut(&self, text: &str, width: usize) -> String {
        let short = cut(text, width);
        if self.style.unicode { short } else { ascii(&short) }
    }

    fn paint(&mut self, text: &str, tint: Tint) {
        let code = tint.code();
        if self.style.color && !code.is_empty() && !text.is_empty() {
            self.out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m"));
        } else {
            self.out.push_str(text);
        }
    }

    fn end_line(&mut self) {
        let end = self.out.trim_end_matches(' ').len();
        self.out.truncate(end);
        self.out.push('\n');
    }

    /// A blank line, a title, and beside it what the section comes to.
    pub(super) fn heading(&mut self, title: &str, note: &str) {
        self.out.push('\n');
        self.paint(title, Tint::Strong);
        if !note.is_empty() {
            let room = self.style.width.saturating_sub(columns(title) + GAP);
            self.out.push_str("  ");
            let note = self.piece(&note.into());
            self.paint(&self.cut(&note.text, room), Tint::Dim);
        }
        self.end_line();
    }

    /// Pieces behind one another, wrapped at words under `indent`, the first line starting at `start`.
    pub(super) fn pieces(&mut self, start: usize, indent: usize, pieces: &[Piece]) {
        let width = self.style.width;
        let mut column = start;
        self.out.push_str(&" ".repeat(start));
        let mut fresh = true;
        for piece in pieces.iter().map(|piece| self.piece(piece)).collect::<Vec<_>>() {
            for word in piece.text.split(' ').filter(|word| !word.is_empty()) {
                // A word that no line can hold is cut: it is a URL or a body, never a sentence.
                let word = self.cut(word, width.saturating_sub(indent));
                let needed = columns(&word) + usize::from(!fresh);
                if !fresh && column + needed > width {
                    self.end_line();
                    self.out.push_str(&" ".repeat(indent));
                    (column, fresh) = (indent, true);
                }
                if !fresh {
                    self.out.push(' ');
                }
                column += columns(&word) + usize::from(!fresh);
                self.paint(&word, piece.tint);
                fresh = false;
            }
        }
        self.end_line();
    }

    /// One indented, wrapped line.
    pub(super) fn line(&mut self, text: &str) {
        self.pieces(INDENT, INDENT, &[text.into()]);
    }

    /// Columns of one line.
    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// A line of a drawing as it is: what stands beside it, and the drawing.
    pub(super) fn drawn(&mut self, beside: &str, drawing: &Piece) {
        self.out.push_str(&" ".repeat(INDENT));
        let beside = self.piece(&beside.into());
        self.paint(&beside.text, Tint::Dim);
        let drawing = self.piece(drawing);
        let room = self.style.width.saturating_sub(INDENT + columns(&beside.text));
        let text = self.cut(&drawing.text, room);
        self.paint(&text, drawing.tint);
        self.end_line();
    }

    pub(super) fn table(&mut self, table: &Table) {
        let table = self.shown(table);
        let widths = table.widths(self.style.width - INDENT);
        for row in &table.rows {
            self.out.push_str(&" ".repeat(INDENT));
            for (at, piece) in row.cells.iter().enumerate() {
                if at > 0 {
                    self.out.push_str(&" ".repeat(GAP));
                }
                let is_text = at < table.texts;
                let text = if is_text { self.cut(&piece.text, widths[at]) } else { piece.text.clone() };
                let pad = " ".repeat(widths[at].saturating_sub(columns(&text)));
                let (before, after) = if is_text { ("", &*pad) } else { (&*pad, "") };
                self.out.push_str(before);
                self.paint(&text, piece.tint);
                self.out.push_str(after);
            }
            self.end_line();
            for note in &row.notes {
                self.pieces(INDENT + NOTE, INDENT + NOTE, std::slice::from_ref(note));
            }
        }
    }

    /// The text, ending with a newline.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// The text in ASCII: the signs of the report have stand-ins, anything else from a script or a target reads `?`.
fn ascii(text: &str) -> String {
    let sign = |c: char| match c {
        '\0'..='~' => c,
        'µ' => 'u',
        '✓' => '+',
        '✗' | '×' => 'x',
        '–' => '-',
        '·' => '|',
        '…' => '~',
        '│' | '┤' => '|',
        '└' | '┬' => '+',
        '─' => '-',
        '▁' | '▂' => '.',
        '▃' | '▄' | '▅' => 'o',
        '▆' | '▇' | '█' => '#',
        '▾' => 'v',
        '░' => ':',
        _ => '?',
    };
    text.replace('→', "->").chars().map(sign).collect()
}

/// A time in milliseconds with three digits, at most six columns wide: `640ns`, `12.5µs`, `1.23ms`, `123ms`, `12.0s`, `2m05s`.
pub(super) fn time(ms: Option<f64>) -> String {
    let Some(ms) = ms.filter(|ms| ms.is_finite()) else { return NONE.to_owned() };
    let three = |value: f64| match value {
        _ if value < 9.995 => format!("{value:.2}"),
        _ if value < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    let seconds = (ms / 1e3).round() as u64;
    match ms {
        _ if ms <= 0.0 => "0".to_owned(),
        _ if ms < 999.5e-6 => format!("{:.0}ns", ms * 1e6),
        _ if ms < 999.5e-3 => three(ms * 1e3) + "µs",
        _ if ms < 999.5 => three(ms) + "ms",
        _ if ms < 59_950.0 => three(ms / 1e3) + "s",
        _ if seconds < 3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A count of something per second, without the `/s` that its title has.
pub(super) fn rate(per_second: Option<f64>) -> String {
    per_second.map_or(NONE.to_owned(), human::number)
}

/// A share from 0 to 1 in percent.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or(NONE.to_owned(), human::percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_three_digits_and_six_columns() {
        for (ms, text) in [
            (0.0, "0"),
            (0.000_64, "640ns"),
            (0.000_999_6, "1.00µs"),
            (0.0125, "12.5µs"),
            (0.9996, "1.00ms"),
            (1.234, "1.23ms"),
            (99.96, "100ms"),
            (999.6, "1.00s"),
            (59_960.0, "1m00s"),
            (125_000.0, "2m05s"),
            (3_905_000.0, "1h05m"),
            (f64::NAN, NONE),
        ] {
            assert_eq!(time(Some(ms)), text);
        }
    }

    proptest! {
        #[test]
        fn no_time_is_wider_than_its_column(ms in 0.0f64..3e8) {
            prop_assert!(columns(&time(Some(ms))) <= 6, "{}", time(Some(ms)));
        }

        #[test]
        fn lines_keep_within_the_width(texts in prop::collection::vec("\\PC{0,90}", 0..6), width in 60usize..130, unicode in any::<bool>()) {
            let mut page = Page::new(Style { color: false, width, unicode });
            let pieces: Vec<Piece> = texts.iter().map(Piece::from).collect();
            page.heading("TITLE", &texts.concat());
            page.pieces(2, 6, &pieces);
            let mut table = Table::new(1, &["name", "number"]);
            texts.iter().for_each(|text| table.row(vec![text.into(), "12.5ms".into()]));
            page.table(&table);
            for line in page.finish().lines() {
                prop_assert!(columns(line) <= width, "{:?}", line);
                prop_assert!(unicode || line.is_ascii(), "{:?}", line);
            }
        }
    }
}
