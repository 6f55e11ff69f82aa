import { withAdministration } from './administration.js'
import { type Command, EXIT } from './command.js'

export const rotateCancelCommand: Command = {
  description:
    'A rotation waits when TUF targets keys are elsewhere and its draft is not published yet. Nothing was signed with the new\n' +
    'key, whose file stays where it is, and clients were not told of it. The draft is worth nothing then.',
  config: 'all',
  run: async (call) => {
    const { cancelled } = await withAdministration(call, call.loadConfig(), (administration) =>
      administration.cancelRotation()
    )
    call.print(`cancelled the rotation of ${cancelled}`, { cancelled })
    return EXIT.ok
  }
}
