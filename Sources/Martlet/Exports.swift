// One import for users: the words of all layers below.
@_exported public import MartletDelivery
