//! Reading `feed(name, feed::csv("users.csv"))`: the files are read here, once, when the Plan is made.
//!
//! A path is relative to the script file that names it and may lead anywhere that the user can read, as in k6: unlike an
//! import it is never run. It also looks for uses of feeds that can be seen to be wrong without running anything.

use super::declare::{Declaration, What, strings};
use super::desk::Desk;
use super::draft::{Draft, From};
use super::error::type_name;
use super::places::Declared;
use crate::diagnostic::Diagnostic;
use crate::feed::{self, CsvOptions, Fault, Feed, Header, Order, Rows, Steps, Table};
use rhai::{Dynamic, FnPtr};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was read already: two feeds over one file share its rows.
type Read = Vec<((From, PathBuf, CsvOptions), Rows)>;

/// All feeds in order.
pub(super) fn read<'a>(desk: &Desk<'_>, declarations: impl Iterator<Item = &'a Declaration>) -> Vec<Feed> {
    let mut feeds: Vec<Feed> = Vec::new();
    let mut known = Read::new();
    for declaration in declarations {
        let declared = desk.declared(declaration);
        let name = match declaration.arguments[0].as_immutable_string_ref() {
            Ok(name) if !name.is_empty() => name.to_string(),
            Ok(_) => {
                desk.tell(declared.at_argument(0, Diagnostic::error("a feed has a name that is not empty")));
                continue;
            }
            Err(_) => {
                let found = type_name(&declaration.arguments[0]);
                desk.tell(declared.at_argument(0, Diagnostic::error(format!("a feed's name is text, not {found}"))));
                continue;
            }
        };
        if feeds.iter().any(|feed| feed.name == name) {
            desk.tell(declared.at_argument(0, Diagnostic::error(format!("a feed `{name}` exists already"))));
            continue;
        }
        let Some(draft) = declaration.arguments[1].clone().try_cast::<Draft>() else {
            let found = type_name(&declaration.arguments[1]);
            let problem = Diagnostic::error(format!(
                "the second argument of `feed` says where its rows come from, this is {found}"
            ));
            desk.tell(declared.at_argument(1, problem.help("`feed(\"users\", feed::csv(\"users.csv\"))`")));
            continue;
        };
        // A feed that cannot be read is still a name: its uses are not reported as well.
        let (source, rows) = rows(desk, &draft, &mut known).unwrap_or((String::new(), Rows::Generated));
        let order = order(desk, &draft, &declared);
        feeds.push(Feed { name, source, order, rows });
    }
    feeds
}

/// The order that a declaration asks for, and whether it fits.
fn order(desk: &Desk<'_>, draft: &Draft, declared: &Declared<'_>) -> Order {
    if let [first, second, ..] = draft.orders[..] {
        let text = format!("a feed has one order, not `.{}()` and `.{}()`", first.word(), second.word());
        desk.tell(declared.problem(Diagnostic::error(text)));
    }
    match draft.orders.first() {
        Some(order) if draft.from == From::Generate && *order != Order::Circular => {
            let text = format!("`feed::generate` has no end, so `.{}()` means nothing", order.word());
            let help = "leave it away: each number `i` is given once over the whole run";
            desk.tell(declared.problem(Diagnostic::error(text).help(help)));
            Order::Circular
        }
        order => order.copied().unwrap_or_default(),
    }
}

/// The rows of a draft with their description for people; `None` when something is wrong, which has been told then.
fn rows(desk: &Desk<'_>, draft: &Draft, known: &mut Read) -> Option<(String, Rows)> {
    let declared = desk.declared(&draft.call);
    let word = draft.from.word();
    match draft.from {
        From::Generate => {
            if !draft.call.arguments[0].is::<FnPtr>() {
                let found = type_name(&draft.call.arguments[0]);
                let problem =
                    Diagnostic::error(format!("`feed::generate` takes a closure such as `|i| i * 10`, not {found}"));
                desk.tell(declared.at_argument(0, problem));
                return None;
            }
            Some(("generate".to_owned(), Rows::Generated))
        }
        From::Range => range(desk, draft, &declared),
        _ => {
            let Ok(path) = draft.call.arguments[0].as_immutable_string_ref().map(|path| path.to_string()) else {
                let found = type_name(&draft.call.arguments[0]);
                let problem = Diagnostic::error(format!("`feed::{word}` takes the path of a file, not {found}"));
                desk.tell(declared.at_argument(0, problem.help("relative to the script's file")));
                return None;
            };
            let options = match draft.call.arguments.get(1) {
                Some(value) => csv_options(desk, value, &declared)?,
                None => CsvOptions::default(),
            };
            let file = declared.source.file.parent().unwrap_or(Path::new("")).join(&path);
            let key = (draft.from, file, options);
            let description = format!("{word} {path}");
            if let Some((_, rows)) = known.iter().find(|(read, _)| *read == key) {
                return Some((description, rows.clone()));
            }
            match load(key.0, &key.1, &key.2) {
                Ok(rows) => {
                    known.push((key, rows.clone()));
                    Some((description, rows))
                }
                Err(fault) => {
                    let line = fault.line.map_or(String::new(), |line| format!(", line {line}"));
                    let mut problem = Diagnostic::error(format!("`{path}`{line}: {}", fault.message));
                    problem.help = fault.help;
                    desk.tell(declared.at_argument(0, problem));
                    None
                }
            }
        }
    }
}

fn range(desk: &Desk<'_>, draft: &Draft, declared: &Declared<'_>) -> Option<(String, Rows)> {
    let mut numbers = [0, 0, 1];
    for (at, value) in draft.call.arguments.iter().enumerate() {
        match value.as_int() {
            Ok(number) => numbers[at] = number,
            Err(_) => {
                let problem = Diagnostic::error(format!("`feed::range` takes whole numbers, not {}", type_name(value)));
                desk.tell(declared.at_argument(at, problem));
                return None;
            }
        }
    }
    let [from, to, step] = numbers;
    let Some(steps) = Steps::new(from, to, step) else {
        desk.tell(declared.at_argument(2, Diagnostic::error("a range with a step of 0 never gets anywhere")));
        return None;
    };
    if steps.is_empty() {
        let problem = Diagnostic::error(format!("there is no number from {from} up to, not including, {to}"));
        let problem = if step < 0 || to < from {
            problem.help(
                "counting down, the first number is the larger one and the step negative: `feed::range(10, 0, -1)`",
            )
        } else {
            problem.help("the end is not part of the range, as in Rhai's own `range`")
        };
        desk.tell(declared.at_argument(1, problem));
        return None;
    }
    let step = if step == 1 { String::new() } else { format!(", {step}") };
    Some((format!("range({from}, {to}{step})"), Rows::Steps(steps)))
}

/// Reads a file, or says what is wrong with it.
fn load(from: From, path: &Path, options: &CsvOptions) -> Result<Rows, Fault> {
    let unread = |error: &std::io::Error| {
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        let help = format!("looked for `{}`; a path is relative to the script's file", path.display());
        Fault { line: None, message: reason, help: Some(help) }
    };
    let about = std::fs::metadata(path).map_err(|error| unread(&error))?;
    if about.is_dir() {
        return Err(Fault { line: None, message: "it is a folder".to_owned(), help: None });
    }
    let size = usize::try_from(about.len()).unwrap_or(usize::MAX);
    let file = File::open(path).map_err(|error| unread(&error))?;
    let text = |file| BufReader::with_capacity(1 << 16, file);
    match from {
        From::Json => feed::json(text(file)).map(|texts| Rows::Documents(Arc::new(texts))),
        From::Jsonl => feed::jsonl(text(file)).map(|texts| Rows::Documents(Arc::new(texts))),
        From::Lines => feed::lines(text(file)).map(|texts| Rows::Lines(Arc::new(texts))),
        From::Csv | From::Range | From::Generate => {
            Table::read(file, size, options).map(|table| Rows::Table(Arc::new(table)))
        }
    }
}

/// `#{ delimiter, quote, comment, trim, header }`.
fn csv_options(desk: &Desk<'_>, value: &Dynamic, declared: &Declared<'_>) -> Option<CsvOptions> {
    let Ok(map) = value.as_map_ref() else {
        let problem =
            format!("the second argument of `feed::csv` is a map: `#{{ delimiter: \";\" }}`, not {}", type_name(value));
        desk.tell(declared.at_argument(1, Diagnostic::error(problem)));
        return None;
    };
    let before = desk.problems.borrow().len();
    let mut options = CsvOptions::default();
    let reader = desk.reader(&map, declared, 1);
    let sign = |key: &'static str| {
        let text = reader.text(key)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Some(Some(*byte)),
            [] => Some(None),
            _ => {
                let text = format!(
                    "`{key}` is one ASCII character such as `\";\"` or `\"\\t\"`, not \"{}\"",
                    text.escape_debug()
                );
                reader.problem(key, Diagnostic::error(text));
                None
            }
        }
    };
    match sign("delimiter") {
        Some(Some(byte)) => options.delimiter = byte,
        Some(None) => reader.problem("delimiter", Diagnostic::error("`delimiter` is one character, not none")),
        None => {}
    }
    if let Some(quote) = sign("quote") {
        options.quote = quote;
    }
    if let Some(comment) = sign("comment") {
        options.comment = comment;
    }
    if let Some(trim) = reader.truth("trim") {
        options.trim = trim;
    }
    match reader.any("header") {
        None => {}
        Some(value) if value.is_bool() => {
            let first = value.as_bool().unwrap_or(true);
            options.header = if first { Header::First } else { Header::Numbered };
        }
        Some(value) => match value.as_array_ref().ok().and_then(|names| strings(&names).ok()) {
            Some(names) if !names.is_empty() => options.header = Header::Given(names),
            _ => {
                let text = format!("`header` is `true`, `false` or the names of the columns, not {}", type_name(value));
                reader.problem(
                    "header",
                    Diagnostic::error(text).help("`header: [\"name\", \"age\"]` for a file without a line of names"),
                );
            }
        },
    }
    let signs = [Some(options.delimiter), options.quote, options.comment];
    if (0..3).any(|at| signs[at].is_some() && signs[at + 1..].contains(&signs[at])) {
        reader.problem("delimiter", Diagnostic::error("`delimiter`, `quote` and `comment` are different characters"));
    }
    reader.finish("feed::csv");
    (desk.problems.borrow().len() == before).then_some(options)
}

/// The closures of generated feeds by the order of the Plan; `None` when the declarations are not those of the Plan.
pub(super) fn generators<'a>(
    feeds: &[Feed],
    declarations: impl Iterator<Item = &'a Declaration>,
) -> Vec<Option<FnPtr>> {
    let declared: Vec<&Declaration> = declarations.filter(|declaration| declaration.what == What::Feed).collect();
    let closures = feeds.iter().map(|feed| {
        let of_name =
            |d: &&&Declaration| d.arguments[0].as_immutable_string_ref().is_ok_and(|name| **name == *feed.name);
        let draft = declared.iter().find(of_name)?.arguments[1].clone().try_cast::<Draft>()?;
        match feed.rows {
            Rows::Generated => draft.call.arguments[0].clone().try_cast::<FnPtr>(),
            _ => None,
        }
    });
    closures.collect()
}
