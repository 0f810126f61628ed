/** How migrations are run. `db push` means the local database since version 3 of Supabase's CLI. */
export const runMigrations =
  'npx supabase migration up (local), or npx supabase db push --remote (hosted; --linked before version 3 of the CLI)'
