// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// For benchmarks only: a token that is nothing but its Transfer events, many of them a transaction.
contract TransferEmitter {
    event Transfer(address indexed from, address indexed to, uint256 value);

    /// Emits transfers number `first` to `first + count - 1`. Transfer n goes to one of 1,000
    /// recipients and carries n + 1, so that what was read can be added up.
    function emitTransfers(uint256 first, uint256 count) external {
        for (uint256 n = first; n < first + count; ++n) {
            emit Transfer(address(uint160(0x1000 + (n % 97))), recipient(n), n + 1);
        }
    }

    function recipient(uint256 n) public pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(n % 1000)))));
    }
}
