//! A CSV file as a table: named columns, every row as wide as the header, all cells text.
//!
//! RFC 4180 with what people ask for: another delimiter, quote or comment sign, no header, trimmed cells. Blank lines are
//! no rows. Anything that would shift a row silently (a ragged line, a quote that is never closed) is refused with its line.

use super::fault::Fault;
use super::texts::Texts;
use csv::{ByteRecord, ReaderBuilder, Trim};
use std::io::{Read, Seek, SeekFrom};

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CsvOptions {
    /// Between two cells.
    pub delimiter: u8,
    /// Around a cell that holds delimiters or line breaks; doubled inside one it stands for itself. `None`: quotes are
    /// letters as any other.
    pub quote: Option<u8>,
    /// A line that begins with it is no row.
    pub comment: Option<u8>,
    /// Whether white space around a cell goes.
    pub trim: bool,
    /// Where the columns get their names.
    pub header: Header,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { delimiter: b',', quote: Some(b'"'), comment: None, trim: false, header: Header::First }
    }
}

/// Where the columns of a CSV file get their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Header {
    /// The first line has them.
    First,
    /// The file has none: they are `column1`, `column2`, …
    Numbered,
    /// The script has them, and the file none.
    Given(Vec<String>),
}

/// Rows of texts under named columns.
#[derive(Debug, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    cells: Texts,
}

impl Table {
    /// Reads a file of about `size` bytes.
    ///
    /// # Errors
    /// The first thing that is wrong with it; see the module's head.
    pub fn read(mut file: impl Read + Seek, size: usize, options: &CsvOptions) -> Result<Table, Fault> {
        let (table, last) = parse(&mut file, size, options).map_err(|(fault, place)| match place {
            Some(place) => fault.at(begin(&mut file, place, options.comment).0),
            None => fault,
        })?;
        // A quote that is never closed takes the rest of the file for one cell, and no parser complains.
        if let (Some(place), Some(quote)) = (last, options.quote) {
            let (line, rest) = begin(&mut file, place, options.comment);
            if rest.iter().filter(|byte| **byte == quote).count() % 2 == 1 {
                let fault = Fault::new("a quoted cell begins here and is never closed").at(line);
                return Err(fault.help("a quote inside of a quoted cell is doubled: `\"say \"\"hi\"\"\"`"));
            }
        }
        if table.cells.is_empty() {
            let names = listed(&table.columns);
            return Err(Fault::new(format!("it has the columns {names} and no row")).help("at least one row is wanted"));
        }
        Ok(Table { cells: table.cells.finish(), ..table })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.columns.len()
    }

    /// Never: a table has at least one row.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// A cell.
    ///
    /// # Panics
    /// When there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.cells.get(row * self.columns.len() + column)
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        (0..self.columns.len()).map(move |column| self.cell(row, column))
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        self.cells.memory()
    }
}

/// Line and byte at which the parser stood before a row: the row begins there, or behind lines that are none.
type Place = (u64, u64);

/// The rows, and the place of the last one when it has a line break in a cell. Of a fault the place of its row.
fn parse(file: impl Read, size: usize, options: &CsvOptions) -> Result<(Table, Option<Place>), (Fault, Option<Place>)> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter)
        .quoting(options.quote.is_some())
        .quote(options.quote.unwrap_or(b'"'))
        .comment(options.comment)
        .trim(if options.trim { Trim::All } else { Trim::None })
        .buffer_capacity(1 << 16)
        .from_reader(file);
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| match reader.read_byte_record(record) {
        Ok(more) => Ok(more.then(|| record.position().map_or((1, 0), |place| (place.line(), place.byte())))),
        Err(error) => match error.into_kind() {
            csv::ErrorKind::Io(error) => Err((Fault::unread(&error), None)),
            other => Err((Fault::new(format!("{other:?}")), None)),
        },
    };
    let mut place = next(&mut record)?;
    let Some(first) = place else {
        let wanted = if options.header == Header::First { "a line with the columns' names and " } else { "" };
        return Err((Fault::new("it is empty").help(format!("{wanted}at least one row is wanted")), None));
    };
    let columns = columns(&record, &options.header).map_err(|fault| (fault, Some(first)))?;
    if options.header == Header::First {
        place = next(&mut record)?;
    }
    let mut cells = Texts::with_room(size.min(u32::MAX as usize));
    let mut last = None;
    while place.is_some() {
        if record.len() != columns.len() {
            return Err((ragged(&record, &columns, &options.header), place));
        }
        for cell in &record {
            let cell = std::str::from_utf8(cell).map_err(|_| (Fault::not_utf8(), place))?;
            cells.push(cell).map_err(|fault| (fault, place))?;
        }
        last = place.filter(|_| record.as_slice().contains(&b'\n'));
        place = next(&mut record)?;
    }
    Ok((Table { columns, cells }, last))
}

/// The line at which the row behind a place begins, and the file from there on; blank lines and comments lie before it.
fn begin(file: &mut (impl Read + Seek), (mut line, byte): Place, comment: Option<u8>) -> (u64, Vec<u8>) {
    let mut rest = Vec::new();
    if file.seek(SeekFrom::Start(byte)).and_then(|_| file.read_to_end(&mut rest)).is_err() {
        return (line, Vec::new());
    }
    let mut start = 0;
    loop {
        match rest.get(start) {
            Some(b'\n') => line += 1,
            Some(b'\r') => {}
            Some(letter) if Some(*letter) == comment => {
                let length = rest[start..].iter().position(|byte| *byte == b'\n').unwrap_or(rest.len() - start - 1);
                start += length;
                line += 1;
            }
            _ => break,
        }
        start += 1;
    }
    rest.drain(..start.min(rest.len()));
    (line, rest)
}

fn columns(first: &ByteRecord, header: &Header) -> Result<Vec<String>, Fault> {
    let names: Vec<String> = match header {
        Header::Given(names) => names.clone(),
        Header::Numbered => (1..=first.len()).map(|number| format!("column{number}")).collect(),
        Header::First => {
            let names = first.iter().map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()));
            names.collect::<Result<_, _>>().map_err(|_| Fault::not_utf8())?
        }
    };
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            let fault = Fault::new(format!("column {} of {} has no name", at + 1, names.len()));
            return Err(fault.help("without a line of names, say `#{ header: false }`"));
        }
        if let Some(before) = names[..at].iter().position(|known| known == name) {
            let text = format!("columns {} and {} have the same name `{name}`", before + 1, at + 1);
            return Err(Fault::new(text));
        }
    }
    Ok(names)
}

fn ragged(record: &ByteRecord, columns: &[String], header: &Header) -> Fault {
    let cells = if record.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", record.len()) };
    let whose = match header {
        Header::First => "the header has",
        Header::Numbered => "the first line has",
        Header::Given(_) => "`header` names",
    };
    Fault::new(format!("{cells}, where {whose} {} ({})", columns.len(), listed(columns)))
        .help("a cell that holds the delimiter is quoted; another delimiter is `#{ delimiter: \";\" }`")
}

/// The names for a message; of many the first ones.
fn listed(columns: &[String]) -> String {
    let shown: Vec<String> = columns.iter().take(10).map(|name| format!("`{name}`")).collect();
    if columns.len() > 10 { format!("{}, …", shown.join(", ")) } else { shown.join(", ") }
}
