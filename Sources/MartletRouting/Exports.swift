// Whoever routes events has them: `import MartletRouting` suffices.
@_exported public import MartletEvents
