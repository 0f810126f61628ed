import { access, constants } from 'node:fs/promises'
import { chromium, type Browser } from 'playwright-core'

/**
 * The browser to drive: `CHROMIUM_PATH`, or where Linux distributions put it.
 * @throws Error that says how to get one.
 */
export async function findChromium(): Promise<string> {
  const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  try {
    await access(path, constants.X_OK)
    return path
  } catch {
    throw new Error(
      `There is no Chromium at ${path}. Install it (apt-get install chromium), or set ` +
        'CHROMIUM_PATH to the executable of any Chromium or Chrome.',
    )
  }
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: ['--no-sandbox', '--disable-background-networking'],
  })
}
