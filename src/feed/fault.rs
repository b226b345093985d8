//! What is wrong with a data file: the line, the reason, what would be right.
//!
//! Made by the readers of this folder; `script/` adds the file's name and the place of the declaration.

/// Why a data file was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// 1-based line in the data file, where there is one to look at.
    pub line: Option<u64>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Fault {
        Fault { line: None, message: message.into(), help: None }
    }

    pub(super) fn at(self, line: u64) -> Fault {
        Fault { line: Some(line), ..self }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Fault {
        Fault { help: Some(help.into()), ..self }
    }

    pub(super) fn not_utf8() -> Fault {
        Fault::new("this is not UTF-8 text").help("save the file as UTF-8")
    }

    pub(super) fn unread(error: &std::io::Error) -> Fault {
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        Fault::new(format!("it cannot be read: {reason}"))
    }

    pub(super) fn too_large() -> Fault {
        Fault::new("it holds more than 4 GiB of text").help("take a part of it: every run reads all of it")
    }
}
