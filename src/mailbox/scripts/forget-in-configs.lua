-- Takes the id of an actor that was deleted out of every config of its tenant. Again is a no-op.
--
-- KEYS[1] config actors  of the tenant → ids and aliases, separated by commas
-- KEYS[2] configs of     sorted set: id or alias NUL config
-- ARGV[1] id
-- Returns 'forgotten'
forgetInConfigs(KEYS[1], KEYS[2], ARGV[1])
return 'forgotten'
