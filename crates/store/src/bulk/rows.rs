//! Rows as plain cells, the same for both databases.

/// A table with the columns that a load fills.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

pub(super) const AUDIT_LOG: Table = Table {
    name: "audit_log",
    columns: &[
        "at",
        "actor_kind",
        "actor_id",
        "actor_name",
        "address",
        "action",
        "resource_kind",
        "resource_id",
        "old_value",
        "new_value",
        "description",
    ],
};

pub(super) const ORDERS: Table = Table {
    name: "orders",
    columns: &[
        "number",
        "organization_id",
        "product_id",
        "common_name",
        "names",
        "names_key",
        "status",
        "origin",
        "coverage_years",
        "coverage_ends_at",
        "ordered_at",
        "issued_at",
        "valid_till",
        "primary_not_after",
        "renews",
        "renewed_by",
        "auto_renew",
        "validity_days",
        "key_type",
        "signature_hash",
        "acme_url_id",
        "requester_id",
        "requester_name",
        "certificates_count",
        "reissues_count",
        "duplicates_count",
        "note",
    ],
};

pub(super) const NAMES: Table = Table {
    name: "order_names",
    columns: &[
        "order_number",
        "name",
        "reversed",
        "is_common_name",
        "organization_id",
        "product_id",
        "ordered_at",
    ],
};

pub(super) const CERTIFICATES: Table = Table {
    name: "certificates",
    columns: &[
        "order_number",
        "kind",
        "serial",
        "common_name",
        "names",
        "names_key",
        "not_before",
        "not_after",
        "status",
        "revocation_due_at",
        "revocation_reason",
        "revoked_at",
        "pem",
        "fingerprint_sha256",
        "spki_sha256",
        "key_type",
        "issued_at",
        "created_at",
    ],
};

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Number(i64),
    Bool(bool),
    Text(String),
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// PostgreSQL's text format of `COPY`: columns by tabs, rows by line feeds, `\N` for null.
pub(super) fn copy_text(rows: &[Vec<Cell>]) -> String {
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            match cell {
                Cell::Null => text.push_str("\\N"),
                Cell::Number(number) => text.push_str(&number.to_string()),
                Cell::Bool(value) => text.push(if *value { 't' } else { 'f' }),
                Cell::Text(value) => value.chars().for_each(|c| push_escaped(&mut text, c)),
            }
        }
        text.push('\n');
    }
    text
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        '\\' => text.push_str("\\\\"),
        '\t' => text.push_str("\\t"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        // PostgreSQL has no such character in texts.
        '\0' => {}
        c => text.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_escapes_what_separates() {
        let rows = [vec![Cell::Null, Cell::Number(-1), Cell::Bool(true), "a\tb\n\\N\r\0".into()]];
        assert_eq!(copy_text(&rows), "\\N\t-1\tt\ta\\tb\\n\\\\N\\r\n");
    }
}
