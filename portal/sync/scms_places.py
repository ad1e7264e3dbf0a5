"""The countries of the SCMS deliveries, as that file spells them: ISO 3166 code and the time zone of the main port."""

from msgspec import Struct


class Country(Struct, frozen=True):
    code: str  # ISO 3166-1 alpha-2
    zone: str  # IANA


COUNTRIES: dict[str, Country] = {
    "Afghanistan": Country("AF", "Asia/Kabul"),
    "Angola": Country("AO", "Africa/Luanda"),
    "Belize": Country("BZ", "America/Belize"),
    "Benin": Country("BJ", "Africa/Porto-Novo"),
    "Botswana": Country("BW", "Africa/Gaborone"),
    "Burkina Faso": Country("BF", "Africa/Ouagadougou"),
    "Burundi": Country("BI", "Africa/Bujumbura"),
    "Cameroon": Country("CM", "Africa/Douala"),
    "Congo, DRC": Country("CD", "Africa/Kinshasa"),
    "Côte d'Ivoire": Country("CI", "Africa/Abidjan"),
    "Dominican Republic": Country("DO", "America/Santo_Domingo"),
    "Ethiopia": Country("ET", "Africa/Addis_Ababa"),
    "Ghana": Country("GH", "Africa/Accra"),
    "Guatemala": Country("GT", "America/Guatemala"),
    "Guinea": Country("GN", "Africa/Conakry"),
    "Guyana": Country("GY", "America/Guyana"),
    "Haiti": Country("HT", "America/Port-au-Prince"),
    "Kazakhstan": Country("KZ", "Asia/Almaty"),
    "Kenya": Country("KE", "Africa/Nairobi"),
    "Kyrgyzstan": Country("KG", "Asia/Bishkek"),
    "Lebanon": Country("LB", "Asia/Beirut"),
    "Lesotho": Country("LS", "Africa/Maseru"),
    "Liberia": Country("LR", "Africa/Monrovia"),
    "Libya": Country("LY", "Africa/Tripoli"),
    "Malawi": Country("MW", "Africa/Blantyre"),
    "Mali": Country("ML", "Africa/Bamako"),
    "Mozambique": Country("MZ", "Africa/Maputo"),
    "Namibia": Country("NA", "Africa/Windhoek"),
    "Nigeria": Country("NG", "Africa/Lagos"),
    "Pakistan": Country("PK", "Asia/Karachi"),
    "Rwanda": Country("RW", "Africa/Kigali"),
    "Senegal": Country("SN", "Africa/Dakar"),
    "Sierra Leone": Country("SL", "Africa/Freetown"),
    "South Africa": Country("ZA", "Africa/Johannesburg"),
    "South Sudan": Country("SS", "Africa/Juba"),
    "Sudan": Country("SD", "Africa/Khartoum"),
    "Swaziland": Country("SZ", "Africa/Mbabane"),
    "Tanzania": Country("TZ", "Africa/Dar_es_Salaam"),
    "Togo": Country("TG", "Africa/Lome"),
    "Uganda": Country("UG", "Africa/Kampala"),
    "Vietnam": Country("VN", "Asia/Ho_Chi_Minh"),
    "Zambia": Country("ZM", "Africa/Lusaka"),
    "Zimbabwe": Country("ZW", "Africa/Harare"),
}
