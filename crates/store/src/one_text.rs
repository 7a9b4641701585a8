//! Rows that come as one text. Of what comes from `SQLite`'s thread each value is a copy with memory of
//! its own, and each row a message: a page of a list has eight hundred values in fifty rows. From either
//! database an order comes with its certificates so, by one statement.

use crate::StoreError;

/// What a statement for rows as one text answers: one row, with nothing where there are none.
pub(crate) type OneText = (Option<String>,);

/// Between two values, and between two rows: ASCII's unit separator. Only texts that people wrote could
/// hold it.
const SEPARATOR: u8 = 31;

/// The same in SQL.
const SQL_SEPARATOR: &str = "'\u{1f}'";

/// What a value of a column can be.
pub(crate) trait Value: Sized {
    /// Whether NULL is one.
    const OPTIONAL: bool = false;

    /// From its text; none where it is no such value.
    fn of_text(text: &str) -> Option<Self>;
}

impl Value for String {
    fn of_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Value for i64 {
    fn of_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for bool {
    fn of_text(text: &str) -> Option<Self> {
        match text {
            "0" | "f" => Some(false),
            "1" | "t" => Some(true),
            _ => None,
        }
    }
}

/// As a text, NULL is empty, and what is empty is NULL.
impl<V: Value> Value for Option<V> {
    const OPTIONAL: bool = true;

    fn of_text(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { V::of_text(text).map(Some) }
    }
}

/// A column of a row.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    name: &'static str,
    optional: bool,
    /// What it is read from, where that is more than its name.
    from: Option<String>,
    written: bool,
}

impl Column {
    /// A column with values of this type.
    pub(crate) const fn of<V: Value>(name: &'static str) -> Self {
        Self { name, optional: V::OPTIONAL, from: None, written: false }
    }

    /// Read from this.
    pub(crate) fn from(self, sql: impl Into<String>) -> Self {
        Self { from: Some(sql.into()), ..self }
    }

    /// People wrote it: a separator in it becomes a space.
    pub(crate) fn written(self) -> Self {
        Self { written: true, ..self }
    }

    fn value(&self) -> String {
        let mut sql = self.from.clone().unwrap_or_else(|| self.name.to_owned());
        if self.written {
            sql = format!("replace({sql}, {SQL_SEPARATOR}, ' ')");
        }
        if self.optional { format!("coalesce(CAST({sql} AS TEXT), '')") } else { sql }
    }
}

/// A row that can be read from its values as texts.
pub(crate) trait OfValues: Sized {
    /// What has such rows, for errors.
    const OF: &str;

    /// Its columns, in the order of its values.
    fn each_column() -> Vec<Column>;

    /// The same as SQL, made once.
    fn columns() -> &'static Columns;

    /// From its values; none where there are too few, or others.
    fn of_values<'a>(values: &mut impl Iterator<Item = &'a str>) -> Option<Self>;
}

/// [`OfValues::columns`] of this row: what is made once for a type needs a place of its own.
macro_rules! columns_once {
    ($row:ty) => {
        fn columns() -> &'static $crate::one_text::Columns {
            use $crate::one_text::Columns;
            static COLUMNS: std::sync::LazyLock<Columns> =
                std::sync::LazyLock::new(Columns::of::<$row>);
            &COLUMNS
        }
    };
}
pub(crate) use columns_once;

/// A row whose columns are its fields.
macro_rules! row {
    ($(#[$meta:meta])* $visible:vis struct $name:ident of $of:literal { $($field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        $visible struct $name {
            $($field: $type,)+
        }

        impl $crate::one_text::OfValues for $name {
            const OF: &str = $of;

            fn each_column() -> Vec<$crate::one_text::Column> {
                vec![$($crate::one_text::Column::of::<$type>(stringify!($field)),)+]
            }

            $crate::one_text::columns_once!($name);

            fn of_values<'a>(values: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
                Some(Self { $($field: $crate::one_text::Value::of_text(values.next()?)?,)+ })
            }
        }
    };
}
pub(crate) use row;

/// What is read of each row, and how the rows come.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    columns: String,
    one_text: bool,
}

impl Columns {
    /// Each row on its own.
    pub(crate) fn each(columns: impl Into<String>) -> Self {
        Self { columns: columns.into(), one_text: false }
    }

    /// Those of `R`, for [`rows`].
    pub(crate) fn of<R: OfValues>() -> Self {
        Self { columns: format!("{} AS line", line::<R>()), one_text: true }
    }

    /// The columns, as they stand behind SELECT.
    pub(crate) fn as_str(&self) -> &str {
        &self.columns
    }

    /// What stands before and behind the statement that reads these columns. The lines stay in its
    /// order.
    pub(crate) fn around(&self) -> [String; 2] {
        if !self.one_text {
            return [String::new(), String::new()];
        }
        [format!("SELECT string_agg(line, {SQL_SEPARATOR}) FROM ("), ") AS lines".to_owned()]
    }

    /// The statement that reads these columns from this, what stands behind them.
    pub(crate) fn select(&self, from: &str) -> String {
        let [before, behind] = self.around();
        format!("{before}SELECT {} {from}{behind}", self.columns)
    }
}

/// The values of a row as one text.
fn line<R: OfValues>() -> String {
    let values: Vec<String> = R::each_column().iter().map(Column::value).collect();
    format!("concat_ws({SQL_SEPARATOR}, {})", values.join(", "))
}

/// Rows within a row, `from` what stands behind the columns and in this order: how many they are, and
/// then their values. To be read by [`within`].
pub(crate) fn rows_within<R: OfValues>(from: &str, order: &str) -> String {
    format!(
        "(SELECT concat_ws({SQL_SEPARATOR}, count(*), \
         string_agg({}, {SQL_SEPARATOR} ORDER BY {order})) {from})",
        line::<R>()
    )
}

/// Rows within a row, where [`rows_within`] stands.
pub(crate) fn within<'a, R: OfValues>(
    values: &mut impl Iterator<Item = &'a str>,
) -> Option<Vec<R>> {
    let many: usize = values.next()?.parse().ok()?;
    (0..many).map(|_| R::of_values(values)).collect()
}

/// What is made of the rows of a statement that has [`Columns::of`] them.
pub(crate) fn made_of<R: OfValues, T: TryFrom<R, Error = StoreError>>(
    texts: Vec<OneText>,
) -> Result<Vec<T>, StoreError> {
    rows::<R>(texts)?.into_iter().map(T::try_from).collect()
}

/// The rows of a statement that has [`Columns::of`] them.
pub(crate) fn rows<R: OfValues>(texts: Vec<OneText>) -> Result<Vec<R>, StoreError> {
    let mut each = Vec::new();
    for text in texts.into_iter().filter_map(|(text,)| text) {
        read(&text, &mut each)?;
    }
    Ok(each)
}

fn read<R: OfValues>(text: &str, each: &mut Vec<R>) -> Result<(), StoreError> {
    let mut values = values(text).peekable();
    while values.peek().is_some() {
        let row = R::of_values(&mut values).ok_or_else(|| {
            StoreError::corrupt(format_args!("{}, row {} of a list", R::OF, each.len() + 1))
        })?;
        each.push(row);
    }
    Ok(())
}

fn values(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(SEPARATOR, text.as_bytes()).chain([text.len()]);
    ends.scan(0, |start, end| {
        let value = text.get(*start..end);
        *start = end + 1;
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    row! {
        #[derive(Debug, PartialEq)]
        struct Pair of "pairs" {
            number: i64,
            word: Option<String>,
        }
    }

    #[test]
    fn a_text_has_whole_rows() {
        let read = |text: &str| rows::<Pair>(vec![(Some(text.to_owned()),)]);
        let pairs_read = read("7\u{1f}a\u{1f}8\u{1f}").unwrap();
        let pairs = [(7, Some("a".to_owned())), (8, None)];
        assert_eq!(pairs_read, pairs.map(|(number, word)| Pair { number, word }));
        for broken in ["", "7", "a\u{1f}7", "7\u{1f}a\u{1f}8", "7\u{1f}a\u{1f}8\u{1f}b\u{1f}9"] {
            let error = read(broken).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("pairs, row "), "{broken:?}: {error}");
        }
        assert_eq!(rows::<Pair>(vec![(None,)]).unwrap(), []);
    }

    #[test]
    fn columns_are_read_as_a_line() {
        assert_eq!(
            Pair::columns().select("FROM pairs"),
            "SELECT string_agg(line, '\u{1f}') FROM (SELECT concat_ws('\u{1f}', number, \
             coalesce(CAST(word AS TEXT), '')) AS line FROM pairs) AS lines"
        );
        assert_eq!(Columns::each("number").select("FROM pairs"), "SELECT number FROM pairs");
        let name = Column::of::<Option<String>>("name").from("(SELECT 'a')").written();
        assert_eq!(
            name.value(),
            "coalesce(CAST(replace((SELECT 'a'), '\u{1f}', ' ') AS TEXT), '')"
        );
    }

    #[test]
    fn values_are_of_their_type() {
        assert_eq!(["1", "t"].map(bool::of_text), [Some(true); 2]);
        assert_eq!(["0", "f"].map(bool::of_text), [Some(false); 2]);
        assert_eq!(bool::of_text("2"), None);
        assert_eq!(Option::<i64>::of_text("x"), None);
        assert_eq!(Option::<i64>::of_text(""), Some(None));
    }
}
