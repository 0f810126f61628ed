/** What the checklist takes for given. */
export declare const report: (code: string, message: string) => void
