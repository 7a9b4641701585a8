//! Countries, as the subjects of certificates name them (ISO 3166-1 alpha-2).

/// The officially assigned codes.
const CODES: &str = "\
     AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB \
     BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
     BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX \
     CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK \
     FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS \
     GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR \
     IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA \
     LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
     ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE \
     NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
     PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
     SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF \
     TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
     UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether `code` is the two-letter code of a country, in capital letters.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && CODES.split(' ').any(|one| one == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_assigned_code_is_there_once_and_no_other() {
        let mut codes: Vec<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.iter().all(|code| is_country(code)));
        codes.dedup();
        assert_eq!(codes.len(), 249, "in their order, none twice");
        assert!(codes.is_sorted());
        for code in ["DE", "US", "GB", "AX", "SS", "ZW"] {
            assert!(is_country(code), "{code}");
        }
        // Unassigned, for private use, exceptionally reserved, formerly used; no codes at all.
        for code in
            ["ZZ", "XX", "AA", "XK", "UK", "EU", "SU", "AN", "de", "", " ", "D", "D ", "DEU"]
        {
            assert!(!is_country(code), "{code:?}");
        }
    }
}
