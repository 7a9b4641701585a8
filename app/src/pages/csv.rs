//! (ssr) CSV exports: what a list's filter shows, all pages of it (RFC 4180).

use std::future::Future;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use lifecycle::lists::{Key, PageOf, Slice};

use crate::fault::PortalError;

/// An export has at most so many rows; a narrower filter gets the others.
pub const MOST_ROWS: usize = 50_000;
/// Rows read at a time.
const BATCH: u16 = 1_000;

/// A table in the making.
#[derive(Debug, Clone)]
pub struct Csv {
    text: String,
    lines: usize,
}

impl Csv {
    /// With a line of headers.
    pub fn new(headers: &[&str]) -> Self {
        // The mark tells spreadsheets that it is UTF-8.
        let mut csv = Self { text: String::from("\u{FEFF}"), lines: 0 };
        csv.cells(headers.iter().map(|header| (*header).to_owned()));
        csv
    }

    /// Adds a line.
    pub fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        self.cells(cells);
        self.lines += 1;
    }

    fn cells(&mut self, cells: impl IntoIterator<Item = String>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.text.push_str(&quoted(&cell));
        }
        self.text.push_str("\r\n");
    }

    /// A full export says that there may be more, or nobody would miss them.
    fn say_where_it_ends(&mut self) {
        if self.lines >= MOST_ROWS {
            let words = format!(
                "An export has at most {MOST_ROWS} rows. There may be more: narrow the list's filter and export again."
            );
            self.cells([words]);
        }
    }

    /// The file, to be kept as `name.csv`.
    fn file(mut self, name: &str) -> Response {
        self.say_where_it_ends();
        let mut response = Response::new(Body::from(self.text));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
        headers.extend(disposition.ok().map(|value| (CONTENT_DISPOSITION, value)));
        response
    }
}

/// A list as the file `name.csv`, or why it can't be had.
pub fn exported(name: &str, export: Result<Csv, PortalError>) -> Response {
    match export {
        Ok(csv) => csv.file(name),
        Err(error) => refused(&error).into_response(),
    }
}

/// The answer in place of a file that can't be had.
pub fn refused(error: &PortalError) -> impl IntoResponse {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.to_string())
}

/// A cell. One that a spreadsheet would take for a formula gets an apostrophe in front.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// Every row from the first page on, up to [`MOST_ROWS`].
pub async fn all_rows<S: Copy, T, E, F, Read>(
    sort: S,
    descending: bool,
    key: impl Fn(&T) -> (Key, i64),
    mut read: Read,
) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<Slice<T>, E>>,
    Read: FnMut(PageOf<S>) -> F,
{
    let mut rows: Vec<T> = Vec::new();
    loop {
        let beyond = rows.last().map(&key);
        let page = PageOf { descending, beyond, ..PageOf::first(sort, BATCH) };
        let slice = read(page).await?;
        rows.extend(slice.rows);
        if !slice.after || rows.len() >= MOST_ROWS {
            rows.truncate(MOST_ROWS);
            return Ok(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let mut csv = Csv::new(&["Name", "Note"]);
        csv.line(["a,b".to_owned(), "say \"no\"\nthen".to_owned()]);
        csv.line(["=1+1".to_owned(), String::new()]);
        let lines = "\u{FEFF}Name,Note\r\n\"a,b\",\"say \"\"no\"\"\nthen\"\r\n'=1+1,\r\n";
        csv.say_where_it_ends();
        assert_eq!(csv.text, lines);
    }

    #[test]
    fn a_full_export_says_that_there_may_be_more() {
        let mut csv = Csv::new(&["Name"]);
        (0..MOST_ROWS).for_each(|_| csv.line(["x".to_owned()]));
        csv.say_where_it_ends();
        assert_eq!(csv.text.lines().count(), MOST_ROWS + 2);
        assert!(csv.text.lines().last().unwrap().contains("at most 50000 rows"));
    }
}
