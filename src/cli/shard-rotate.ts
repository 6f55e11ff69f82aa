import type { Command } from './command.js'
import { OUT_FLAG } from './draft-files.js'
import { hostnameOf, rotatePart } from './rotate.js'

export const shardRotateCommand: Command = {
  description:
    'As rotate log, but that the key stays unless --new-key is given; while the server runs or while it does not. Entries of\n' +
    'the closed tree stay readable at their log index; new ones go to the new tree, which begins with a statement of its own.\n' +
    'The host name can change with --log-hostname.',
  flags: [
    { name: 'new-key', meaning: 'Make a new key for the new tree. Default: the key stays.' },
    OUT_FLAG
  ],
  config: 'all',
  run: (call) =>
    rotatePart(call, {
      what: 'log',
      dryRun: false,
      keepKey: !call.flags.has('new-key'),
      ...hostnameOf(call)
    })
}
