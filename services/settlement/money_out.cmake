# Money out: destinations, plans, payouts, chain transactions, the sender.
paymesh_library(NAME settlement_out_domain
  SOURCES domain/chain_transaction.cc domain/chain_transaction_call.cc domain/destination.cc
          workers/sender.cc
  APART domain/payout.cc
  DEPS paymesh::error paymesh::money paymesh::evm paymesh::runtime
  TESTS domain/chain_transaction_test.cc domain/chain_transaction_call_test.cc
        domain/payout_test.cc
  TESTS_APART workers/sender_simulation_test.cc)

paymesh_library(NAME settlement_out
  SOURCES api/payout_service.cc money_out.cc money_out_config.cc store/chain_transaction_flow.cc store/chain_transaction_store.cc
          store/destination_store.cc store/payout_convert.cc store/payout_event.cc
          store/payout_invariants.cc store/payout_ledger.cc store/payout_pause.cc
          store/payout_resolution.cc store/payout_store.cc store/sender_store.cc store/sweep_store.cc
          workers/chain_transaction_follower.cc workers/keystore_signer.cc
          workers/kms_signer.cc
          workers/payout_scheduler.cc workers/sender_chain.cc workers/sender_worker.cc
          workers/vault_record.cc
  DEPS paymesh::settlement_out_domain ${SETTLEMENT_BOOKS} paymesh::aws paymesh::pg paymesh::outbox
       paymesh::rpc paymesh::host paymesh::protos_settlement paymesh::protos_watcher)

# Real PostgreSQL and a real chain node.
paymesh_test(NAME settlement_sender_anvil_test
  SOURCES workers/sender_anvil_test.cc testing/sender_anvil_testing.cc
          workers/sender_kms_anvil_test.cc
  DEPS paymesh::settlement_out paymesh::settlement_migrations paymesh::aws_testing
       paymesh::pg_testing)

# A server that plays AWS.
paymesh_test(NAME settlement_signer_test
  SOURCES money_out_config_test.cc workers/kms_signer_test.cc
  DEPS paymesh::settlement_out paymesh::aws_testing)

# Real PostgreSQL.
paymesh_test(NAME settlement_payout_store_test
  SOURCES store/payout_store_test.cc store/sender_store_test.cc
  DEPS paymesh::settlement_out paymesh::settlement_migrations paymesh::pg_testing)

paymesh_test(NAME settlement_payout_api_test
  SOURCES api/payout_service_test.cc
  DEPS paymesh::settlement_out paymesh::settlement_ledger_api paymesh::settlement_migrations
       paymesh::pg_testing)
