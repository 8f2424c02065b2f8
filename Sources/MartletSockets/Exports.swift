// The vocabulary of every layer (`Bytes`, `Multipart`, `MartletError`, …) comes with the sockets.

@_exported public import MartletCore
