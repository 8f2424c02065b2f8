// What is delivered, and to whom, is spoken of in the words of the layers below.
@_exported public import MartletRouting
