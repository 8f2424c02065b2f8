// Events speak of positions, bytes and errors, which live one layer below.
@_exported public import MartletCore
