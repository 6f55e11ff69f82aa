import { isLogError, LogError } from '../../src/errors.js'

/** The LogError `action` throws; anything else it does becomes an error that says so. */
export async function refusal(action: () => unknown): Promise<LogError> {
  let result: unknown
  try {
    result = await action()
  } catch (err) {
    if (isLogError(err)) return err
    throw new Error(`threw something other than a LogError: ${String(err)}`, { cause: err })
  }
  throw new Error(`was accepted, with ${JSON.stringify(result)}`)
}

/** `code: message` of the LogError `action` throws. */
export async function refusalText(action: () => unknown): Promise<string> {
  const { code, message } = await refusal(action)
  return `${code}: ${message}`
}

/** Runs `action`; passes on its result, undefined for a LogError, and any other error. */
export async function unlessRefused<Result>(
  action: () => Result | Promise<Result>
): Promise<Result | undefined> {
  try {
    return await action()
  } catch (err) {
    if (isLogError(err)) return undefined
    throw err
  }
}
