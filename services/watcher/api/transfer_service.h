// paymesh.watcher.v1.TransferService over the store and the journal. Any thread; one strand a call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/outbox/hub/hub.h"
#include "common/pg/database.h"
#include "common/rpc/server/page.h"
#include "common/rpc/server/server.h"
#include "paymesh/watcher/v1/transfer_service.grpc.pb.h"
#include "services/watcher/convert.h"
#include "services/watcher/usecases/watch_addresses.h"

namespace paymesh::watcher {

class TransferServiceImpl final : public pb::TransferService::CallbackService {
 public:
  TransferServiceImpl(rpc::CallRunner& calls, pg::Database& database, outbox::Hub& hub,
                      const rpc::PageTokens& tokens, runtime::Executor executor);

  grpc::ServerUnaryReactor* WatchAddresses(grpc::CallbackServerContext* context,
                                           const pb::WatchAddressesRequest* request,
                                           pb::WatchAddressesResponse* response) override;
  grpc::ServerUnaryReactor* ListTransfers(grpc::CallbackServerContext* context,
                                          const pb::ListTransfersRequest* request,
                                          pb::ListTransfersResponse* response) override;
  grpc::ServerWriteReactor<pb::StreamTransfersResponse>* StreamTransfers(
      grpc::CallbackServerContext* context, const pb::StreamTransfersRequest* request) override;

  // No more batches; for the drain.
  void Close() { registrar_.Close(); }

 private:
  Task<Status> DoWatch(const pb::WatchAddressesRequest& request);
  Task<Status> DoList(const pb::ListTransfersRequest& request, pb::ListTransfersResponse* response);

  rpc::CallRunner& calls_;
  pg::Database& database_;
  outbox::Hub& hub_;
  const rpc::PageTokens& tokens_;
  AddressRegistrar registrar_;
};

}  // namespace paymesh::watcher
